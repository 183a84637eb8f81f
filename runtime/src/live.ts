/** What formulas change while one types: fields shown, asked for, open, calculated. */

export interface Behaviour {
  fields: Record<string, { visible?: unknown; required?: unknown; enabled?: unknown; value?: unknown }>
}

/** Returns what to call after each change. */
export function live(_form: HTMLFormElement, _behaviour: Behaviour): () => void {
  return () => undefined
}
