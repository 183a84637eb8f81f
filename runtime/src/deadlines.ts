/** Deadlines keep counting while a page stays open; after a while the work list fetches itself anew. */
const minute = 60_000

/** The words of a deadline, from the catalogue: the page hands over the patterns it needs. */
export interface Patterns {
  left_minutes: string
  left_hours: string
  left_days: string
  late_minutes: string
  late_hours: string
  late_days: string
  now: string
}

export function dueWords(due: number, now: number, patterns: Patterns): { state: string; words: string } {
  const minutes = Math.trunc((due - now) / minute)
  const late = due < now
  const size = Math.abs(minutes)
  const state = late ? 'late' : minutes < 30 ? 'soon' : 'far'
  if (size < 1) return { state, words: patterns.now }
  const side = late ? 'late' : 'left'
  if (size < 60) return { state, words: fill(patterns[`${side}_minutes`], { n: size }) }
  if (size < 60 * 24) {
    return { state, words: fill(patterns[`${side}_hours`], { h: Math.floor(size / 60), m: size % 60 }) }
  }
  return { state, words: fill(patterns[`${side}_days`], { d: Math.floor(size / 1440) }) }
}

function fill(pattern: string, values: Record<string, number>): string {
  return pattern.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

const colour: Record<string, string> = { late: 'badge-late', soon: 'badge-soon', far: 'due-far' }

export function watchDeadlines(root: ParentNode): void {
  const box = document.getElementById('due-patterns')
  if (!box?.textContent) return
  const patterns = JSON.parse(box.textContent) as Patterns
  const badges = [...root.querySelectorAll<HTMLElement>('[data-due]')]
  // The server's clock counts, not the machine's: clinics' old computers are often minutes off.
  const ahead = Number(box.dataset.now) - Date.now()
  const draw = () => {
    for (const badge of badges) {
      const { state, words } = dueWords(Number(badge.dataset.due), Date.now() + ahead, patterns)
      const place = badge.querySelector('[data-words]')
      if (place) place.textContent = words
      badge.classList.remove(...Object.values(colour))
      badge.classList.add(colour[state]!)
      const row = badge.closest('.task-row')
      row?.classList.toggle('is-late', state === 'late')
      row?.classList.toggle('is-soon', state === 'soon')
    }
  }
  if (badges.length) setInterval(draw, minute / 2)
  if (document.querySelector('[data-fresh]')) freshen()
}

/** New work shows by itself, but never under a finger: only while the page is seen and nothing is typed. */
function freshen(): void {
  let seen = Date.now()
  const go = () => {
    const typing = document.activeElement?.matches('input, textarea, select')
    if (!document.hidden && !typing && Date.now() - seen > minute) location.reload()
  }
  setInterval(go, minute)
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && Date.now() - seen > minute / 4) location.reload()
    seen = Date.now()
  })
}
