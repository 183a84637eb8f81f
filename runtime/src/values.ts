/** What a form on the page holds, read as the formulas see it, and written back. */

/** Kinds whose value is a list; a picked file counts, though only the server can tell what it is. */
const LISTS = ['choices', 'file', 'image']

export type Plain = string | number | boolean | string[] | null

/** A field's kind, as its element says (data-type). */
export function typeOf(form: HTMLFormElement, key: string): string {
  return fieldOf(form, key)?.dataset.type ?? 'text'
}

export function fieldOf(form: HTMLFormElement, key: string): HTMLElement | null {
  return form.querySelector<HTMLElement>(`[data-field="${key}"]`)
}

export function controls(form: HTMLFormElement, key: string): (HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement)[] {
  const found = form.elements.namedItem(key)
  if (!found) return []
  const all = found instanceof RadioNodeList ? [...found] : [found]
  return all as (HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement)[]
}

/** Every value as it was typed, by name: what a draft keeps. */
export function typed(form: HTMLFormElement): Record<string, string[]> {
  const values: Record<string, string[]> = {}
  for (const field of form.querySelectorAll<HTMLElement>('[data-field]')) {
    const key = field.dataset.field ?? ''
    const own = controls(form, key).filter((c) => c.type !== 'hidden' && c.type !== 'file')
    if (!own.length) continue
    values[key] = own
      .filter((c) => !isTick(c) || (c as HTMLInputElement).checked)
      .map((c) => c.value)
      .filter((value) => value !== '')
  }
  return values
}

export function putBack(form: HTMLFormElement, values: Record<string, string[]>): void {
  for (const [key, given] of Object.entries(values)) {
    for (const control of controls(form, key)) {
      if (control.type === 'hidden' || control.type === 'file') continue
      if (isTick(control)) (control as HTMLInputElement).checked = given.includes(control.value)
      else control.value = given[0] ?? ''
    }
  }
}

/** One field's value as formulas see it: blank is null, numbers are numbers, times are UTC. */
export function valueOf(form: HTMLFormElement, key: string): Plain {
  const own = controls(form, key)
  const given = own.filter((c) => !isTick(c) || (c as HTMLInputElement).checked).map((c) => c.value.trim())
  const type = typeOf(form, key)
  if (LISTS.includes(type)) {
    const chosen = given.filter((one) => one !== '')
    return chosen.length ? chosen : null
  }
  const text = given[0] ?? ''
  if (text === '') return null
  if (type === 'yesno') return text === 'true'
  if (type === 'number' || type === 'money') return number(text)
  if (type === 'percent') return number(text) === null ? null : (number(text) as number) / 100
  return text
}

/** The same as JSON that formulas read: decimals as texts, a time typed here with its zone's offset. */
export function jsonOf(form: HTMLFormElement, key: string, offset: string): Plain {
  const value = valueOf(form, key)
  const type = typeOf(form, key)
  if (value === null) return null
  if (type === 'percent') return (value as number).toFixed(6)
  if (typeof value === 'number') return String(value)
  if (type === 'datetime') return `${value}:00${offset}`
  return value
}

export function number(text: string): number | null {
  const plain = text.replace(/[，,\s]/g, '').replace(/[０-９．－]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
  return plain !== '' && Number.isFinite(Number(plain)) ? Number(plain) : null
}

function isTick(control: Element): boolean {
  return control instanceof HTMLInputElement && (control.type === 'radio' || control.type === 'checkbox')
}

/** A calculated value as the server writes it: ¥1,234.50, 4.29%. */
export function shown(type: string, value: unknown): string {
  const size = Number(value)
  if (type === 'money') return `${size < 0 ? '-' : ''}¥${Math.abs(size).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`
  if (type === 'percent') return `${Number((size * 100).toFixed(2))}%`
  return String(value)
}
