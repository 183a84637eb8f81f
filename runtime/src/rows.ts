/** Rows of a sub-form, added and removed in place. Without it the buttons send the form, and the server draws it again. */

const NAMED = ['id', 'name', 'for', 'data-field', 'aria-labelledby', 'aria-describedby', 'value']

/** changed is called after each row more or less. */
export function rows(form: HTMLFormElement, changed: () => void): void {
  for (const box of form.querySelectorAll<HTMLElement>('[data-rows]')) {
    const key = box.dataset.rows ?? ''
    const all = box.querySelector<HTMLElement>('[data-rows-all]')
    const blank = box.querySelector<HTMLTemplateElement>('template[data-row-blank]')?.content.firstElementChild
    const add = box.querySelector<HTMLButtonElement>('[data-row-add]')
    if (!all || !blank || !add) continue

    add.addEventListener('click', (event) => {
      event.preventDefault()
      const row = blank.cloneNode(true) as HTMLElement
      all.append(row)
      number(box, key, all)
      changed()
      row.querySelector<HTMLElement>('input:not([type=hidden]), select, textarea')?.focus()
    })
    all.addEventListener('click', (event) => {
      const button = (event.target as HTMLElement).closest('[data-row-remove]')
      if (!button) return
      event.preventDefault()
      button.closest('[data-row]')?.remove()
      number(box, key, all)
      changed()
      add.focus()
    })
  }
}

/** Rows are called by their places: `items.0.price`. */
function number(box: HTMLElement, key: string, all: HTMLElement): void {
  const found = [...all.querySelectorAll<HTMLElement>('[data-row]')]
  found.forEach((row, at) => {
    const was = `${key}.${row.dataset.row}`
    if (was !== `${key}.${at}`) {
      for (const element of row.querySelectorAll('*')) rename(element, was, `${key}.${at}`)
      row.dataset.row = String(at)
    }
    const shown = row.querySelector('[data-row-number]')
    if (shown) shown.textContent = String(at + 1)
    const words = (row.getAttribute('aria-label') ?? '').replace(/\d+/, String(at + 1))
    row.setAttribute('aria-label', words)
    const remove = row.querySelector('[data-row-remove]')
    remove?.setAttribute('aria-label', (remove.getAttribute('aria-label') ?? '').replace(/\d+/, String(at + 1)))
  })
  const count = box.querySelector<HTMLInputElement>('[data-rows-count]')
  if (count) count.value = String(found.length)
  const add = box.querySelector<HTMLElement>('[data-row-add]')
  if (add) add.hidden = found.length >= Number(box.dataset.most)
}

function rename(element: Element, was: string, now: string): void {
  for (const name of NAMED) {
    const value = element.getAttribute(name)
    if (value === null || !value.includes(was)) continue
    const parts = value.split(' ').map((part) => {
      const at = part.indexOf(was)
      const next = part[at + was.length]
      return at >= 0 && (next === undefined || next === '.') ? part.slice(0, at) + now + part.slice(at + was.length) : part
    })
    element.setAttribute(name, parts.join(' '))
  }
}
