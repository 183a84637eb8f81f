// Text: code points, NFC, nothing that depends on a locale. Mirrors platform/expressions/wording.py.

import { Blank, Num, whole } from './decimal'

const TEXT_BYTES = 32 * 1024
const SPACES =
  '\\t\\n\\x0b\\x0c\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const EDGES = new RegExp(`^[${SPACES}]+|[${SPACES}]+$`, 'g')
const points = (text: string) => Array.from(text)
const orBlank = (text: string) => (text === '' ? null : text)

export function kept(given: string): string | null {
  const text = given.normalize('NFC')
  if (text.length * 3 > TEXT_BYTES && new TextEncoder().encode(text).length > TEXT_BYTES)
    throw new Blank('E_TEXT_LENGTH')
  return orBlank(text)
}

/** By code point, as the databases order text; `<` would go by UTF-16. */
export function compareText(a: string, b: string): number {
  const [left, right] = [points(a), points(b)]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!
    if (order !== 0) return order
  }
  return left.length - right.length
}

function count(n: Num): number {
  if (n.c < 0n) throw new Blank('E_ARGUMENT')
  return whole(n)
}

export const length = (text: string) => new Num(BigInt(points(text).length), 0)
export const left = (text: string, n: Num) => orBlank(points(text).slice(0, count(n)).join(''))
export const upper = (text: string) => kept(text.toUpperCase())
export const lower = (text: string) => kept(text.toLowerCase())
export const trim = (text: string) => orBlank(text.replace(EDGES, ''))
export const concat = (parts: (string | null)[]) => kept(parts.map((part) => part ?? '').join(''))

export function right(text: string, n: Num): string | null {
  const size = count(n)
  return size === 0 ? null : orBlank(points(text).slice(-size).join(''))
}

export function mid(text: string, start: Num, n: Num): string | null {
  const begin = whole(start)
  const size = count(n)
  if (begin < 1) throw new Blank('E_ARGUMENT')
  return orBlank(points(text).slice(begin - 1, begin - 1 + size).join(''))
}

export function replace(text: string | null, old: string | null, by: string | null): string | null {
  if (text === null || old === null) return text
  const pieces = text.split(old)
  const grown = text.length + (pieces.length - 1) * ((by ?? '').length - old.length)
  if (grown > 2 * TEXT_BYTES) throw new Blank('E_TEXT_LENGTH')
  return kept(pieces.join(by ?? ''))
}

export function phoneMask(text: string): string {
  const digits = points(text)
  if (digits.length < 8) return '*'.repeat(digits.length)
  return digits.slice(0, 3).join('') + '*'.repeat(digits.length - 7) + digits.slice(-4).join('')
}
