// What each operation does: the browser's face of platform/expressions/operations.py.

import * as n from './decimal'
import * as d from './days'
import * as t from './wording'
import { Num } from './decimal'
import { Day, Moment, Span } from './days'
import { equal, order, plain } from './values'
import type { Calendar } from './days'
import type { Value } from './values'

export interface Around {
  zone: string
  calendar: Calendar | undefined
}
type Face = (args: Value[], around: Around) => Value
// Arguments have the types the server's checker gave them, so they are taken as what they are.
type A = never
const call = (face: (...args: A[]) => Value): Face => (args) => face(...(args as A[]))
const zoned = (face: (...args: A[]) => Value): Face => (args, around) => face(...(args as A[]), around.zone as A)
const worked = (face: (...args: A[]) => Value): Face => (args, around) => face(...(args as A[]), around.calendar as A)
const list = (value: Value) => (Array.isArray(value) ? value : [])
const some = (values: Value[]) => values.filter((value) => value !== null)
const numbers = (values: Value[]) => values as Num[]
const count = (size: number) => new Num(BigInt(size), 0)

function best(values: Value[], sign: number): Value {
  let found: Value = null
  for (const value of values) if (found === null || order(value, found) * sign > 0) found = value
  return found
}

function unique(values: Value[]): Value {
  const seen: Value[] = []
  for (const value of values) if (!seen.some((one) => equal(one, value))) seen.push(value)
  return seen.length > 0 ? seen : null
}

function textOf(value: Value, around: Around): Value {
  if (value === null || typeof value === 'string') return value
  if (value instanceof Moment) return d.formatMoment(value, 'yyyy-MM-dd HH:mm', around.zone)
  return value instanceof Num || value instanceof Day ? (plain(value) as string) : null
}

/** Called with no blank among the arguments; blank otherwise. */
export const STRICT: Record<string, Face> = {
  add: call(n.add),
  sub: call(n.sub),
  mul: call(n.mul),
  div: call(n.div),
  neg: call(n.neg),
  mod: call(n.mod),
  power: call(n.power),
  abs: call(n.absolute),
  int: call((a: Num) => n.round(a, n.ZERO, 'floor')),
  round: call((a: Num, p: Num) => n.round(a, p, 'half')),
  round_up: call((a: Num, p: Num) => n.round(a, p, 'up')),
  round_down: call((a: Num, p: Num) => n.round(a, p, 'down')),
  value_of: call(n.valueOf),
  text_of_number: call(n.textOfNum),
  format_number: call(n.formatNum),
  len: call(t.length),
  left: call(t.left),
  right: call(t.right),
  mid: call(t.mid),
  upper: call(t.upper),
  lower: call(t.lower),
  trim: call(t.trim),
  phone_mask: call(t.phoneMask),
  date_of: call(d.dateOf),
  date_of_text: call(d.parseDay),
  day_of_moment: zoned(d.dayOfMoment),
  year: call(d.year),
  month: call(d.month),
  day: call(d.dayOfMonth),
  hour: zoned(d.hour),
  minute: zoned(d.minute),
  weekday: call(d.weekday),
  date_add: call(d.dateAdd),
  moment_add: zoned(d.momentAdd),
  date_diff: call(d.dateDiff),
  moment_diff: zoned(d.momentDiff),
  edate: call(d.edate),
  eomonth: call(d.eomonth),
  workday: worked(d.workday),
  networkdays: worked(d.networkdays),
  age: call(d.age),
  duration: call(d.duration),
  add_days: call(d.addDays),
  days_add: call((days: Num, day: Day) => d.addDays(day, days)),
  sub_days: call((day: Day, days: Num) => d.addDays(day, n.neg(days))),
  days_between: call(d.daysBetween),
  add_span: call(d.addSpan),
  span_add: call((span: Span, moment: Moment) => d.addSpan(moment, span)),
  sub_span: call(d.subSpan),
  span_between: call(d.spanBetween),
  spans_add: call(d.spansAdd),
  spans_sub: call(d.spansSub),
  span_neg: call(d.spanNeg),
  text_of_date: call(d.isoDay),
  text_of_moment: ([moment], around) => textOf(moment!, around),
  format_date: call(d.formatDate),
  format_moment: zoned(d.formatMoment),
}

/** Tests that are false when an argument is blank. */
export const TESTS: Record<string, Face> = {
  contains: call((text: string, part: string) => text.includes(part)),
  starts_with: call((text: string, part: string) => text.startsWith(part)),
  ends_with: call((text: string, part: string) => text.endsWith(part)),
  lt: ([a, b]) => order(a!, b!) < 0,
  le: ([a, b]) => order(a!, b!) <= 0,
  gt: ([a, b]) => order(a!, b!) > 0,
  ge: ([a, b]) => order(a!, b!) >= 0,
}

/** Operations that know what to do with blank. */
export const OPEN: Record<string, Face> = {
  replace: call(t.replace),
  concat: (args) => t.concat(args as (string | null)[]),
  text_of_any: ([value], around) => textOf(value!, around),
  eq: ([a, b]) => equal(a!, b!),
  ne: ([a, b]) => !equal(a!, b!),
  not: ([a]) => a !== true,
  truth: ([a]) => a === true,
  isblank: ([a]) => a === null,
  in_values: ([value, ...choices]) => choices.some((choice) => equal(value!, choice)),
  in_list: ([value, values]) => value !== null && list(values!).some((item) => equal(value!, item)),
  sum_of: (args) => n.total(numbers(some(args))),
  avg_of: (args) => n.average(numbers(some(args))),
  min_of: (args) => best(some(args), -1),
  max_of: (args) => best(some(args), 1),
  count_of: (args) => count(some(args).length),
  list_sum: ([values]) => n.total(numbers(list(values!))),
  list_avg: ([values]) => n.average(numbers(list(values!))),
  list_min: ([values]) => best(list(values!), -1),
  list_max: ([values]) => best(list(values!), 1),
  list_count: ([values]) => count(list(values!).length),
  list_any: ([values]) => list(values!).includes(true),
  list_all: ([values]) => !list(values!).includes(false),
  list_first: ([values]) => list(values!)[0] ?? null,
  list_last: ([values]) => list(values!).at(-1) ?? null,
  list_unique: ([values]) => unique(list(values!)),
  list_count_equal: ([values, wanted]) =>
    count(wanted === null ? 0 : list(values!).filter((item) => equal(item, wanted!)).length),
}
