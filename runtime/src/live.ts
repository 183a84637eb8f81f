/** What formulas change while one types: fields shown, asked for, open, calculated. The server decides again. */
import { evaluate, holds, type Env, type Tree } from './evaluate'
import { controls, fieldOf, jsonOf, shown } from './values'

interface Formulas {
  visible?: Tree
  required?: Tree
  enabled?: Tree
  value?: Tree
  default?: Tree
}

export interface Behaviour {
  /** Formulas by field, in the order in which they rest on one another. */
  fields: Record<string, Formulas>
  /** The same for the rows of each sub-form. */
  rows: Record<string, Record<string, Formulas>>
  /** JSON values that formulas read and the page has no input for. */
  kept: Record<string, unknown>
  /** The server's clock: milliseconds since 1970. */
  now: number
  zone: string
  /** What a time typed without a zone means, such as +08:00. */
  offset: string
  me: Env['me']
}

const CALCULATED = ['number', 'money', 'percent', 'text', 'longtext', 'date']

/** Returns what to call after each change. */
export function live(form: HTMLFormElement, behaviour: Behaviour): () => void {
  const keys = [...form.querySelectorAll<HTMLElement>('[data-field]')].map((f) => f.dataset.field ?? '').filter((key) => !key.includes('.'))
  const ahead = behaviour.now - Date.now()

  const refresh = () => {
    const values: Record<string, unknown> = { ...behaviour.kept }
    for (const key of keys) {
      if (inputs(form, key).length) values[key] = jsonOf(form, key, behaviour.offset)
    }
    const now = new Date(Date.now() + ahead).toISOString()
    const env: Env = { values, now, zone: behaviour.zone, me: behaviour.me }
    for (const box of form.querySelectorAll<HTMLElement>('[data-rows]')) {
      const key = box.dataset.rows ?? ''
      values[key] = rowsOf(form, box, key, behaviour, env)
    }
    work(form, behaviour.fields, env, '')
    for (const section of form.querySelectorAll<HTMLElement>('.section')) {
      const fields = [...section.querySelectorAll<HTMLElement>('[data-field]')]
      section.hidden = fields.length > 0 && fields.every((field) => field.hidden)
    }
  }
  refresh()
  form.dataset.live = ''
  return refresh
}

/** Works out the fields of the record, or of one row (prefix `items.0.`), into the values of its surroundings. */
function work(form: HTMLFormElement, all: Record<string, Formulas>, env: Env, prefix: string): void {
  const values = env.values as Record<string, unknown>
  for (const [key, formulas] of Object.entries(all)) {
    const field = fieldOf(form, prefix + key)
    const seen = formulas.visible ? asks(formulas.visible, env, true) : true
    if (field) field.hidden = !seen
    if (!seen) values[key] = null
    else if (formulas.value) {
      values[key] = answer(formulas.value, env)
      if (field) write(field, values[key])
    }
    if (field && formulas.required) must(form, field, prefix + key, seen && asks(formulas.required, env, false))
    if (field && formulas.enabled) open(form, field, prefix + key, asks(formulas.enabled, env, true))
  }
}

/** The rows of a sub-form as formulas see them; blank ones are none, as on the server. */
function rowsOf(form: HTMLFormElement, box: HTMLElement, key: string, behaviour: Behaviour, env: Env): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = []
  for (const row of box.querySelectorAll<HTMLElement>('[data-row]')) {
    const prefix = `${key}.${row.dataset.row}.`
    const values: Record<string, unknown> = {}
    for (const field of row.querySelectorAll<HTMLElement>('[data-field]')) {
      const name = field.dataset.field ?? ''
      if (inputs(form, name).length) values[name.slice(prefix.length)] = jsonOf(form, name, behaviour.offset)
    }
    const blank = Object.values(values).every((value) => value === null)
    if (!blank) begin(form, behaviour.rows[key] ?? {}, { ...env, values }, prefix, row)
    work(form, behaviour.rows[key] ?? {}, { ...env, values }, prefix)
    if (!blank) found.push(values)
  }
  return found
}

/** A row that somebody begins has its defaults; a row that was there keeps what stands in it, and so does one that has begun. */
function begin(form: HTMLFormElement, all: Record<string, Formulas>, env: Env, prefix: string, row: HTMLElement): void {
  const begun = row.dataset.begun !== undefined || form.dataset.live === undefined
  row.dataset.begun = ''
  if (begun) return
  const values = env.values as Record<string, unknown>
  for (const [key, formulas] of Object.entries(all)) {
    const control = inputs(form, prefix + key)[0]
    if (!formulas.default || values[key] !== null || !control || ['radio', 'checkbox'].includes(control.type)) continue
    const text = typedAs(fieldOf(form, prefix + key)?.dataset.type ?? '', answer(formulas.default, env))
    if (!text) continue
    control.value = text
    values[key] = jsonOf(form, prefix + key, '')
  }
}

/** A value as one would type it; empty for what is not typed. */
function typedAs(type: string, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (type === 'number' || type === 'money') return String(Number(value))
  if (type === 'percent') return String(Number((Number(value) * 100).toFixed(4)))
  return ['text', 'longtext', 'choice', 'date'].includes(type) ? String(value) : ''
}

function inputs(form: HTMLFormElement, key: string) {
  return controls(form, key).filter((control) => control.type !== 'hidden')
}

/** Whether a condition holds; one that cannot be worked out here is left to the server. */
function asks(tree: Tree, env: Env, otherwise: boolean): boolean {
  try {
    return holds(tree, env)
  } catch {
    return otherwise
  }
}

function answer(tree: Tree, env: Env): unknown {
  try {
    return evaluate(tree, env).value
  } catch {
    return null
  }
}

function write(field: HTMLElement, value: unknown): void {
  const place = field.querySelector<HTMLElement>('[data-shown]')
  if (!place || !CALCULATED.includes(field.dataset.type ?? '')) return
  place.textContent = value === null || value === undefined ? '—' : shown(field.dataset.type ?? '', value)
}

function must(form: HTMLFormElement, field: HTMLElement, key: string, needed: boolean): void {
  const mark = field.querySelector<HTMLElement>('[data-must]')
  if (!mark) return
  mark.hidden = !needed
  for (const control of inputs(form, key)) {
    if (control.type === 'radio' || control.type === 'checkbox') continue
    if (needed) control.setAttribute('aria-required', 'true')
    else control.removeAttribute('aria-required')
  }
}

/** A closed field keeps and sends its value: a disabled input would send none and so blank it. */
function open(form: HTMLFormElement, field: HTMLElement, key: string, opened: boolean): void {
  field.classList.toggle('is-closed', !opened)
  for (const control of inputs(form, key)) {
    control.setAttribute('aria-disabled', String(!opened))
    if (opened) control.removeAttribute('tabindex')
    else control.tabIndex = -1
    if (!(control instanceof HTMLSelectElement)) control.readOnly = !opened
  }
}
