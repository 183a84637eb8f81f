/** Every staff page starts here: its style, light or dark, one submit at a time. The pages work without it. */
import './style/all.css'
import './icons.svg?url'
import './brand.svg?url'
import { watchDeadlines } from './deadlines'
import { submitOnce } from './once'
import { forgetDrafts } from './drafts'
import { themeSwitch } from './theme'

themeSwitch()
submitOnce(document)
watchDeadlines(document)

for (const button of document.querySelectorAll<HTMLButtonElement>('[data-sign-out]')) {
  // What was typed and not sent belongs to the person: it leaves this machine with them.
  button.form?.addEventListener('submit', () => forgetDrafts())
}

// A refused form: the reader is led to the summary, from there to each field.
document.querySelector<HTMLElement>('[data-problems]')?.focus()

// Filters that are chosen by a select apply at once; the button stays for those without script.
for (const button of document.querySelectorAll<HTMLElement>('[data-no-script]')) button.hidden = true
for (const select of document.querySelectorAll<HTMLSelectElement>('select[data-go]')) {
  select.addEventListener('change', () => select.form?.requestSubmit?.())
}

// A file chosen is a file named.
for (const input of document.querySelectorAll<HTMLInputElement>('input[type=file][data-name-in]')) {
  input.addEventListener('change', () => {
    const place = document.getElementById(input.dataset.nameIn ?? '')
    const name = input.files?.[0]?.name
    if (place && name) place.textContent = name
  })
}

// What is shown once is copied by a button, where the browser lets pages copy.
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-copy]')) {
  button.hidden = !navigator.clipboard
  button.addEventListener('click', () => {
    const shown = document.getElementById(button.dataset.copy ?? '') as HTMLInputElement | null
    const words = button.querySelector('span')
    if (shown) void navigator.clipboard.writeText(shown.value).then(() => {
      if (words) words.textContent = button.dataset.done ?? ''
    })
  })
}

// What is to be kept on paper is printed by a button.
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-print]')) {
  button.hidden = false
  button.addEventListener('click', () => window.print())
}
