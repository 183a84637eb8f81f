// Values between JSON and the evaluator: what a field holds, and what an expression answers.

import { Num, compareNum, parseNum, textOfNum } from './decimal'
import { Day, Moment, Span, isoDay, isoMoment, parseDay, parseMoment } from './days'
import { compareText } from './wording'

export type Row = { [key: string]: unknown }
export type Value = null | boolean | string | Num | Day | Moment | Span | Row | Value[]

/** A field's JSON as a value of its type; blank for what is none of that type. */
export function read(given: unknown, kind: string): Value {
  if (given === null || given === undefined || given === '') return null
  if (kind.startsWith('list:')) {
    if (!Array.isArray(given)) return null
    const items = given.map((item) => read(item, kind.slice(5))).filter((item) => item !== null)
    return items.length > 0 ? items : null
  }
  switch (kind) {
    case 'number':
      return parseNum(given)
    case 'text':
      return typeof given === 'string' ? given.normalize('NFC') : null
    case 'time':
      return typeof given === 'string' ? given.slice(0, 5) : null
    case 'bool':
      return typeof given === 'boolean' ? given : null
    case 'date':
      return typeof given === 'string' ? parsed(() => parseDay(given)) : null
    case 'datetime':
      return typeof given === 'string' ? parsed(() => parseMoment(given)) : null
    case 'duration':
      return typeof given === 'string' ? new Span(BigInt(given)) : null
    default:
      return typeof given === 'object' ? (given as Row) : anyOf(given)
  }
}

function anyOf(given: unknown): Value {
  if (typeof given === 'number') return parseNum(given)
  return typeof given === 'string' || typeof given === 'boolean' ? given : null
}

function parsed<T>(make: () => T | null): T | null {
  try {
    return make()
  } catch {
    return null
  }
}

/** A value as JSON: numbers as strings, days and moments as ISO text, durations in microseconds. */
export function plain(value: Value): unknown {
  if (value instanceof Num) return textOfNum(value)
  if (value instanceof Day) return isoDay(value)
  if (value instanceof Moment) return isoMoment(value)
  if (value instanceof Span) return value.us.toString()
  return Array.isArray(value) ? value.map(plain) : value
}

/** Whether a value is a record rather than a scalar. */
export function isRow(value: Value): value is Row {
  return typeof value === 'object' && value !== null && !(value instanceof Num) && !(value instanceof Day)
    && !(value instanceof Moment) && !(value instanceof Span) && !Array.isArray(value)
}

const identity = (value: Value): Value => (isRow(value) ? read(value._id, 'any') : value)

/** Blank equals blank only; rows compare by id; nothing of one kind equals another kind. */
export function equal(left: Value, right: Value): boolean {
  const [a, b] = [identity(left), identity(right)]
  if (a === null || b === null) return a === b
  if (a instanceof Num && b instanceof Num) return compareNum(a, b) === 0
  if (a instanceof Day && b instanceof Day) return a.n === b.n
  if (a instanceof Moment && b instanceof Moment) return a.us === b.us
  if (a instanceof Span && b instanceof Span) return a.us === b.us
  return a === b
}

/** Below, at or above zero; both sides are of one ordered kind. */
export function order(a: Value, b: Value): number {
  if (a instanceof Num && b instanceof Num) return compareNum(a, b)
  if (a instanceof Day && b instanceof Day) return a.n - b.n
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  const micros = [a, b].map((side) => (side instanceof Moment || side instanceof Span ? side.us : 0n))
  return micros[0]! < micros[1]! ? -1 : micros[0]! > micros[1]! ? 1 : 0
}
