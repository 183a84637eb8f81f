/** A form being filled in: complain early and kindly, keep a draft. Without it the server does all of this. */
import { goTo, say, summary, wrong, type Limits, type Words } from './complain'
import { draftOf, forgetDraft, keepDraft } from './drafts'
import { fills, type Fills } from './fills'
import { findableLinks } from './links'
import { live, type Behaviour } from './live'
import { rows } from './rows'
import { fieldOf, putBack, typed } from './values'

for (const form of document.querySelectorAll<HTMLFormElement>('form[data-fill]')) start(form)

function start(form: HTMLFormElement): void {
  const box = document.getElementById('behaviour')
  if (!box?.textContent) return
  const behaviour = JSON.parse(box.textContent) as Behaviour & { fills: Fills; words: Words; limits: Record<string, Limits>; draft: Record<string, string> }
  const words = behaviour.words
  const touched = new Set<string>()
  const note = form.querySelector<HTMLElement>('[data-draft-note]')
  const draftKey = form.dataset.draft

  restore()
  const refresh = live(form, behaviour)
  rows(form, refresh)
  fills(form, behaviour.fills)
  clearableRadios(form)
  findableChoices(form)
  findableLinks(form)
  linksOfSummary(form)

  let waiting: ReturnType<typeof setTimeout> | undefined
  form.addEventListener('input', (event) => {
    const key = keyOf(event.target)
    refresh()
    if (key && touched.has(key)) check(key)
    if (draftKey) {
      clearTimeout(waiting)
      waiting = setTimeout(() => {
        keepDraft(draftKey, typed(form))
        if (note) note.textContent = behaviour.draft.kept ?? ''
      }, 800)
    }
  })
  form.addEventListener('focusout', (event) => {
    const key = keyOf(event.target)
    // Leaving a field empty is no fault yet: people look around before they type.
    if (key && (touched.has(key) || filled(key))) {
      touched.add(key)
      check(key)
    }
  })
  form.addEventListener('submit', (event) => {
    const submitter = (event as SubmitEvent).submitter
    if (submitter?.hasAttribute('formnovalidate')) return
    // An outcome that needs no form is sent whatever stands in it.
    if (form.querySelector('[data-without-form]:checked')) return
    const found = new Map<string, string>()
    for (const key of keys(form)) {
      touched.add(key)
      const what = check(key)
      if (what) found.set(key, what)
    }
    if (!found.size) {
      clearTimeout(waiting)
      if (draftKey) forgetDraft(draftKey)
      return
    }
    event.preventDefault()
    event.stopImmediatePropagation()
    summary(form, found, words)
  }, true)

  function check(key: string): string | null {
    const field = fieldOf(form, key)
    if (!field || field.hidden || !field.querySelector('[data-must]')) return null
    if (field.dataset.type === 'subform') return null // its cells are looked at one by one, the whole by the server
    const must = !field.querySelector<HTMLElement>('[data-must]')?.hidden
    const what = wrong(form, key, must, behaviour.limits[key] ?? {}, words)
    say(form, key, what)
    return what
  }

  function filled(key: string): boolean {
    return (typed(form)[key]?.length ?? 0) > 0
  }

  function restore(): void {
    const draft = draftKey ? draftOf(draftKey) : null
    // What the server sent back with problems is newer than any draft.
    if (!draft || document.querySelector('[data-problems]')) return
    if (JSON.stringify(draft.values) === JSON.stringify(typed(form))) return
    putBack(form, draft.values)
    if (note) note.textContent = behaviour.draft.back ?? ''
  }
}

function keyOf(target: EventTarget | null): string | undefined {
  return (target as HTMLElement | null)?.closest<HTMLElement>('[data-field]')?.dataset.field
}

function keys(form: HTMLFormElement): string[] {
  return [...form.querySelectorAll<HTMLElement>('[data-field]')].map((f) => f.dataset.field ?? '')
}

/** A choice that need not be made can be unmade: a second tap takes it back. */
function clearableRadios(form: HTMLFormElement): void {
  for (const radio of form.querySelectorAll<HTMLInputElement>('input[type=radio]')) {
    const label = radio.closest('label')
    let was = false
    label?.addEventListener('pointerdown', () => (was = radio.checked))
    radio.addEventListener('click', () => {
      const must = radio.closest('[data-field]')?.querySelector<HTMLElement>('[data-must]')
      if (was && must?.hidden) {
        radio.checked = false
        radio.dispatchEvent(new Event('input', { bubbles: true }))
      }
      was = false
    })
  }
}

/** Many choices: a box to type in narrows them down; what is ticked stays in sight. */
function findableChoices(form: HTMLFormElement): void {
  for (const box of form.querySelectorAll<HTMLElement>('[data-choices-box]')) {
    const find = box.querySelector<HTMLInputElement>('[data-choices-find]')
    if (!find) continue
    find.hidden = false
    find.addEventListener('input', () => {
      const wanted = find.value.trim().toLowerCase()
      for (const choice of box.querySelectorAll<HTMLElement>('.choice')) {
        const ticked = choice.querySelector('input')?.checked
        choice.hidden = !!wanted && !ticked && !choice.textContent?.toLowerCase().includes(wanted)
      }
    })
    find.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') event.preventDefault()
    })
  }
}

/** The server's summary leads to fields too, past the sticky bars. */
function linksOfSummary(form: HTMLFormElement): void {
  for (const link of document.querySelectorAll<HTMLAnchorElement>('[data-problems] a[href^="#f-"]')) {
    link.addEventListener('click', (event) => {
      event.preventDefault()
      goTo(form, link.hash.slice(3))
    })
  }
}
