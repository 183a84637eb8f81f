/** What comes with a choice is filled in as one chooses, where nothing else was typed. The server fills in what is blank yet. */
import { controls, number } from './values'

/** Field chosen in (`items.item` in the rows of `items`) -> item -> field to fill in -> what its input then holds. */
export type Fills = Record<string, Record<string, Record<string, string>>>

export function fills(form: HTMLFormElement, given: Fills): void {
  const before = new WeakMap<Element, string>()
  form.addEventListener('input', (event) => {
    const control = event.target as HTMLInputElement | HTMLSelectElement
    const key = control.name ?? ''
    const items = given[key.replace(/\.\d+\./, '.')]
    if (!items) return
    const was = items[before.get(control) ?? first(control)] ?? {}
    before.set(control, control.value)
    for (const [name, text] of Object.entries(items[control.value] ?? {})) {
      const target = controls(form, key.slice(0, key.lastIndexOf('.') + 1) + name)[0]
      if (!target || !own(target.value, was[name])) continue
      target.value = text
      target.dispatchEvent(new Event('input', { bubbles: true }))
    }
  })
}

/** Nothing stands there, or what came with the item chosen before. */
function own(value: string, was: string | undefined): boolean {
  const text = value.trim()
  return text === '' || (was !== undefined && (text === was || (number(text) !== null && number(text) === number(was))))
}

/** What the page came with. */
function first(control: HTMLInputElement | HTMLSelectElement): string {
  if (control instanceof HTMLInputElement) return control.defaultValue
  return [...control.options].find((option) => option.hasAttribute('selected'))?.value ?? ''
}
