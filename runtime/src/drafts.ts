/** What was typed and not yet sent, kept on this machine: by person, for 24 hours, gone at sign-out. */
const prefix = 'careloom:draft:'
const day = 86_400_000

export interface Draft {
  at: number
  values: Record<string, string[]>
}

export function keepDraft(key: string, values: Record<string, string[]>): void {
  try {
    localStorage.setItem(prefix + key, JSON.stringify({ at: Date.now(), values } satisfies Draft))
  } catch {
    // A full or forbidden store costs the draft, never the form.
  }
}

export function draftOf(key: string): Draft | null {
  try {
    const draft = JSON.parse(localStorage.getItem(prefix + key) ?? 'null') as Draft | null
    if (draft && Date.now() - draft.at < day) return draft
  } catch {
    // unreadable: as good as none
  }
  forgetDraft(key)
  return null
}

export function forgetDraft(key: string): void {
  try {
    localStorage.removeItem(prefix + key)
  } catch {
    // nothing to forget where nothing can be kept
  }
}

export function forgetDrafts(): void {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(prefix)) localStorage.removeItem(key)
    }
  } catch {
    // as above
  }
}
