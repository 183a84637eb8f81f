/** A form's records: filters that hide what they do not need, and cards that are dragged. All of it works without. */
import { startBoard } from './board'

/** Operators that go with values of their own; the others (today, is empty) speak for themselves. */
const WITH_VALUES = ['has', 'is', 'begins', 'not', 'between']

const operators = document.querySelectorAll<HTMLSelectElement>('[data-operator]')
for (const form of document.querySelectorAll<HTMLFormElement>('form[data-filters]')) {
  for (const how of operators) {
    const box = how.closest('.asks')
    const refresh = () => box?.classList.toggle('is-whole', !WITH_VALUES.includes(how.value))
    how.addEventListener('change', refresh)
    refresh()
  }
  form.addEventListener('formdata', (event) => shorten(event.formData))
}

/** What asks nothing need not stand in the address. */
function shorten(data: FormData): void {
  for (const how of operators) {
    const value = how.name.replace(/^o\./, 'w.')
    const given = data.getAll(value).some((each) => String(each).trim())
    if (!given || !WITH_VALUES.includes(how.value)) data.delete(value)
    if (!given && WITH_VALUES.includes(how.value)) data.delete(how.name)
  }
  for (const name of ['q', 'sort', 'add']) if (!data.get(name)) data.delete(name)
}

// One list of choices is open at a time; Escape closes it and leaves the rest alone.
const picks = document.querySelectorAll<HTMLDetailsElement>('details.pick, details.extra, details.board-move')
document.addEventListener('click', (event) => {
  for (const pick of picks) if (pick.open && !pick.contains(event.target as Node)) pick.open = false
})
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return
  for (const pick of picks) {
    if (!pick.open) continue
    pick.open = false
    pick.querySelector<HTMLElement>('summary')?.focus()
  }
})

const board = document.querySelector<HTMLElement>('[data-board]')
if (board) startBoard(board)
