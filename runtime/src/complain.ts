/** What is wrong, said at the field in the page's language (the browser's own words follow the browser's). */
import { controls, fieldOf, number, typeOf, valueOf } from './values'

export interface Words {
  required: string
  pick_one: string
  phone: string
  number: string
  least: string
  most: string
  email: string
  problems: string
  colon: string
}

export interface Limits {
  min?: number
  max?: number
}

/** The words for what is wrong with one field, or null. Only what any reader would call wrong: the server decides. */
export function wrong(form: HTMLFormElement, key: string, must: boolean, limits: Limits, words: Words): string | null {
  const type = typeOf(form, key)
  const value = valueOf(form, key)
  if (value === null) {
    const typedText = controls(form, key).some((c) => c.type !== 'radio' && c.type !== 'checkbox' && c.value.trim() !== '')
    if (typedText) return words.number
    if (!must) return null
    return ['choice', 'choices', 'yesno', 'person', 'unit', 'link'].includes(type) ? words.pick_one : words.required
  }
  if (type === 'phone' && !/^(\+?86)?1\d{10}$/.test(String(value).replace(/[\s-]/g, ''))) return words.phone
  if (type === 'email' && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(String(value))) return words.email
  if (type === 'number' || type === 'money' || type === 'percent') {
    const size = number(String(controls(form, key)[0]?.value ?? ''))
    if (size !== null && limits.min !== undefined && size < limits.min) return words.least.replace('{least}', String(limits.min))
    if (size !== null && limits.max !== undefined && size > limits.max) return words.most.replace('{most}', String(limits.max))
  }
  return null
}

/** Put words at a field, or take them away. */
export function say(form: HTMLFormElement, key: string, words: string | null): void {
  const field = fieldOf(form, key)
  const place = field?.querySelector<HTMLElement>('[data-problem]')
  if (!field || !place) return
  place.hidden = words === null
  const line = place.querySelector('span')
  if (line) line.textContent = words ?? ''
  const marked = field.querySelector(`[id="f-${key}"]`)
  if (words === null) marked?.removeAttribute('aria-invalid')
  else marked?.setAttribute('aria-invalid', 'true')
}

/** The summary above the form: one link for each field. Built here when the page came without one. */
export function summary(form: HTMLFormElement, found: Map<string, string>, words: Words): void {
  document.getElementById('problems')?.remove()
  if (!found.size) return
  const box = document.createElement('div')
  box.className = 'notice notice-late'
  box.id = 'problems'
  box.tabIndex = -1
  box.setAttribute('role', 'alert')
  const inside = box.appendChild(document.createElement('div'))
  inside.className = 'notice-words'
  const head = inside.appendChild(document.createElement('h2'))
  head.textContent = words.problems.replace('{count}', String(found.size))
  const list = inside.appendChild(document.createElement('ul'))
  for (const [key, what] of found) {
    const link = list.appendChild(document.createElement('li')).appendChild(document.createElement('a'))
    link.href = `#f-${key}`
    link.textContent = titleOf(form, key) + words.colon + what
    link.addEventListener('click', (event) => {
      event.preventDefault()
      goTo(form, key)
    })
  }
  form.before(box)
  box.focus({ preventScroll: true })
  box.scrollIntoView({ block: 'start' })
}

export function goTo(form: HTMLFormElement, key: string): void {
  const field = fieldOf(form, key)
  field?.scrollIntoView({ block: 'center' })
  const first = field?.querySelector<HTMLElement>('input:not([type=hidden]), select, textarea')
  first?.focus({ preventScroll: true })
}

function titleOf(form: HTMLFormElement, key: string): string {
  const label = fieldOf(form, key)?.querySelector('.field-label')
  return label?.firstChild?.textContent?.trim() ?? key
}
