/** Links to other records: what is typed is looked for on the server, and found records are picked from the list. */

const PAUSE = 200

interface Offered {
  id: string
  words: string
}

export function findableLinks(form: HTMLFormElement): void {
  for (const select of form.querySelectorAll<HTMLSelectElement>('select[data-offer]')) {
    const find = select.parentElement?.querySelector<HTMLInputElement>('[data-link-find]')
    if (find) start(find, select)
  }
}

function start(find: HTMLInputElement, select: HTMLSelectElement): void {
  let waiting: ReturnType<typeof setTimeout> | undefined
  let asked = 0
  find.hidden = false
  find.addEventListener('input', (event) => {
    event.stopPropagation() // what is looked for is no value of the form
    clearTimeout(waiting)
    waiting = setTimeout(async () => {
      const mine = ++asked
      try {
        const answer = await fetch(`${select.dataset.offer}?q=${encodeURIComponent(find.value.trim())}`)
        const found = (await answer.json()) as Offered[]
        if (answer.ok && mine === asked) offer(select, found)
      } catch {
        // Without an answer the list stays as it is.
      }
    }, PAUSE)
  })
  find.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== 'ArrowDown') return
    event.preventDefault()
    select.focus()
  })
}

/** What was found, and what is chosen already. */
function offer(select: HTMLSelectElement, found: Offered[]): void {
  const chosen = select.selectedOptions[0]
  const kept = [...select.options].filter((option) => option.value === '' || option === chosen)
  const fresh = found.filter(({ id }) => id !== chosen?.value).map(({ id, words }) => new Option(words, id))
  select.replaceChildren(...kept, ...fresh)
  if (fresh.length === 1 && !chosen?.value) {
    select.value = fresh[0]?.value ?? ''
    select.dispatchEvent(new Event('input', { bubbles: true }))
  }
}
