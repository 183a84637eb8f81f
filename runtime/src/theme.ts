/** Light or dark: the system decides until the person does; the choice is a cookie the server reads. */
const year = 31_536_000

function darkNow(): boolean {
  const chosen = document.documentElement.dataset.theme
  return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
}

export function themeSwitch(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-theme-switch]')) {
    const draw = () => {
      const use = button.querySelector('use')
      const sprite = use?.getAttribute('href')?.split('#')[0]
      use?.setAttribute('href', `${sprite}#${darkNow() ? 'sun' : 'moon'}`)
      button.setAttribute('aria-pressed', String(darkNow()))
    }
    button.hidden = false
    draw()
    button.addEventListener('click', () => {
      const next = darkNow() ? 'light' : 'dark'
      document.documentElement.dataset.theme = next
      document.cookie = `careloom_theme=${next}; path=/; max-age=${year}; samesite=lax`
      draw()
    })
  }
}
