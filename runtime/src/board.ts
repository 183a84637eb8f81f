/** Cards dragged from column to column, by mouse, pen or finger (at its grip). The server decides; a card it refuses goes back. */

const FAR = 6 // pixels before a press becomes a drag
const EDGE = 48 // from the board's side, where it scrolls along

interface Drag {
  card: HTMLElement
  from: HTMLElement
  pointer: number
  x: number
  y: number
  ghost: HTMLElement | null
  over: HTMLElement | null
}

export function startBoard(board: HTMLElement): void {
  let drag: Drag | null = null

  board.addEventListener('pointerdown', (event) => {
    const target = event.target as HTMLElement
    const card = target.closest<HTMLElement>('[data-movable]')
    if (!card || event.button !== 0 || target.closest('form')) return
    // A finger scrolls; only the grip takes hold of the card.
    if (event.pointerType === 'touch' && !target.closest('.board-grip')) return
    const from = card.closest<HTMLElement>('[data-column]')
    if (from) drag = { card, from, pointer: event.pointerId, x: event.clientX, y: event.clientY, ghost: null, over: null }
  })

  addEventListener('pointermove', (event) => {
    if (!drag || event.pointerId !== drag.pointer) return
    if (!drag.ghost) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < FAR) return
      lift(drag)
    }
    event.preventDefault()
    move(board, drag, event.clientX, event.clientY)
  }, { passive: false })

  addEventListener('pointerup', (event) => {
    if (!drag || event.pointerId !== drag.pointer) return
    const { card, from, over, ghost } = drag
    end()
    if (!ghost) return
    swallowClick()
    if (over && over !== from) void give(board, card, from, over)
  })
  addEventListener('pointercancel', end)
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape') end()
  })
  board.addEventListener('dragstart', (event) => event.preventDefault())

  function end(): void {
    drag?.ghost?.remove()
    drag?.over?.classList.remove('is-target')
    drag?.card.classList.remove('is-lifted')
    drag = null
  }
}

function lift(drag: Drag): void {
  const box = drag.card.getBoundingClientRect()
  const ghost = drag.card.cloneNode(true) as HTMLElement
  ghost.classList.add('board-ghost')
  ghost.setAttribute('aria-hidden', 'true')
  ghost.style.width = `${box.width}px`
  ghost.style.left = `${box.left}px`
  ghost.style.top = `${box.top}px`
  document.body.append(ghost)
  drag.card.classList.add('is-lifted')
  drag.ghost = ghost
}

function move(board: HTMLElement, drag: Drag, x: number, y: number): void {
  if (drag.ghost) drag.ghost.style.transform = `translate(${x - drag.x}px, ${y - drag.y}px)`
  const over = document.elementFromPoint(x, y)?.closest<HTMLElement>('[data-column]') ?? null
  if (over !== drag.over) {
    drag.over?.classList.remove('is-target')
    over?.classList.add('is-target')
    drag.over = over
  }
  const box = board.getBoundingClientRect()
  if (x > box.right - EDGE) board.scrollLeft += 12
  if (x < box.left + EDGE) board.scrollLeft -= 12
}

/** The click that ends a drag is none. */
function swallowClick(): void {
  const swallow = (event: Event) => {
    event.preventDefault()
    event.stopPropagation()
  }
  addEventListener('click', swallow, { capture: true, once: true })
  setTimeout(() => removeEventListener('click', swallow, { capture: true }))
}

async function give(board: HTMLElement, card: HTMLElement, from: HTMLElement, to: HTMLElement): Promise<void> {
  place(card, to)
  const form = card.querySelector<HTMLFormElement>('form')
  if (!form) return
  const data = new FormData(form)
  data.set('value', to.dataset.column ?? '')
  let words = ''
  let moved = false
  try {
    const headers = { Accept: 'application/json', 'X-CSRF-Token': board.dataset.csrf ?? '' }
    const answer = await fetch(form.action, { method: 'POST', body: data, headers })
    const told = (await answer.json()) as { words?: string; detail?: string; revision?: number }
    words = told.words ?? told.detail ?? answer.statusText
    moved = answer.ok
    if (told.revision) {
      const revision = form.querySelector<HTMLInputElement>('[name=revision]')
      if (revision) revision.value = String(told.revision)
    }
  } catch (error) {
    words = String(error)
  }
  if (!moved) place(card, from)
  say(words, moved)
}

function place(card: HTMLElement, column: HTMLElement): void {
  const before = card.closest<HTMLElement>('[data-column]')
  column.querySelector('[data-cards]')?.prepend(card)
  const select = card.querySelector<HTMLSelectElement>('[name=value]')
  if (select) select.value = column.dataset.column ?? ''
  if (before) count(before, -1)
  count(column, 1)
}

function count(column: HTMLElement, by: number): void {
  const shown = column.querySelector('[data-count]')
  const none = column.querySelector<HTMLElement>('[data-none]')
  const left = Number(shown?.textContent) + by
  if (shown) shown.textContent = String(left)
  if (none) none.hidden = left > 0
}

/** What came of it: heard always, and seen when the card went back. */
function say(words: string, moved: boolean): void {
  const heard = document.querySelector('[data-board-said]')
  if (!heard) return
  heard.textContent = words
  heard.className = moved ? 'only-heard' : 'notice notice-late'
}
