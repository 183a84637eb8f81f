/** The page of a sheet: how it looks, on the screen and printed, and the button that prints it. */
import '../../templates/print/paper.css'

for (const button of document.querySelectorAll<HTMLButtonElement>('[data-print]')) {
  button.hidden = false
  button.addEventListener('click', () => window.print())
}
