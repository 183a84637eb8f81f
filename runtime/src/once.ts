/** A form is sent once: a second tap on a slow line must not make a second record. */
export function submitOnce(root: ParentNode): void {
  for (const form of root.querySelectorAll<HTMLFormElement>('form[method=post]')) {
    form.addEventListener('submit', (event) => {
      if (event.defaultPrevented) return
      if (form.dataset.sent) {
        event.preventDefault()
        return
      }
      form.dataset.sent = 'yes'
      // Disabling at once would drop the button's own name and value from what is sent.
      setTimeout(() => {
        for (const button of form.querySelectorAll<HTMLButtonElement>('button[type=submit]')) {
          button.setAttribute('aria-disabled', 'true')
        }
      })
    })
  }
  // Coming back with the back button finds the form ready again.
  addEventListener('pageshow', () => {
    for (const form of root.querySelectorAll<HTMLFormElement>('form[data-sent]')) {
      delete form.dataset.sent
      form.querySelectorAll('[aria-disabled]').forEach((b) => b.removeAttribute('aria-disabled'))
    }
  })
}
