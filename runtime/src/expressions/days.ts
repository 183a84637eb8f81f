// Dates, moments and durations. Mirrors platform/expressions/days.py and workdays.py.

import { Blank, isWhole, Num, whole } from './decimal'

export class Day {
  constructor(readonly n: number) {} // days since 1970-01-01
}
export class Moment {
  constructor(readonly us: bigint) {} // microseconds since 1970-01-01T00:00Z
}
export class Span {
  constructor(readonly us: bigint) {}
}
export interface Calendar {
  first: string
  last: string
  off: string[]
  on: string[]
}

const DAY_US = 86_400_000_000n
const FIRST = -719_162 // 0001-01-01
const LAST = 2_932_896 // 9999-12-31
const MOST_DAYS = 4_000_000
const SIZE: Record<string, bigint> = {
  minute: 60_000_000n,
  hour: 3_600_000_000n,
  day: DAY_US,
  week: 7n * DAY_US,
}
const num = (n: number) => new Num(BigInt(n), 0)
const pad = (n: number, width: number) => String(n).padStart(width, '0')
const fault = (): never => {
  throw new Blank('E_DATE')
}

function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b
  return a % b < 0n ? q - 1n : q
}

function civil(n: number): [number, number, number] {
  const date = new Date(n * 86_400_000)
  return [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
}

function dayNumber(y: number, m: number, d: number): number {
  const date = new Date(0)
  date.setUTCFullYear(y, m - 1, d)
  return date.getTime() / 86_400_000
}

const monthEnd = (y: number, m: number) => civil(dayNumber(y, m + 1, 0))[2]

function inYears(n: number): Day {
  return n >= FIRST && n <= LAST ? new Day(n) : fault()
}

function steps(n: Num): number {
  const count = whole(n)
  return Math.abs(count) > 1e12 ? fault() : count
}

export function dateOf(y: Num, m: Num, d: Num): Day {
  const [year, month, day] = [whole(y), whole(m), whole(d)]
  const right = isWhole(y) && isWhole(m) && isWhole(d) && year >= 1 && year <= 9999
  if (!right || month < 1 || month > 12 || day < 1 || day > monthEnd(year, month)) fault()
  return new Day(dayNumber(year, month, day))
}

export function parseDay(text: string): Day {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text)
  if (match === null) return fault()
  return dateOf(num(Number(match[1])), num(Number(match[2])), num(Number(match[3])))
}

export function parseMoment(text: string): Moment | null {
  const match = /^(.{10})T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (match === null) return null
  const [, date, hours, minutes, seconds, fraction, zone] = match
  const shift = zone === 'Z' ? 0 : Number(zone![0] + '1') * (Number(zone!.slice(1, 3)) * 60 + Number(zone!.slice(4)))
  const second = (Number(hours) * 60 + Number(minutes) - shift) * 60 + Number(seconds ?? 0)
  const us = BigInt(second) * 1_000_000n + BigInt((fraction ?? '').padEnd(6, '0'))
  return new Moment(BigInt(parseDay(date!).n) * DAY_US + us)
}

export function isoDay(day: Day): string {
  const [y, m, d] = civil(day.n)
  return `${pad(y, 4)}-${pad(m, 2)}-${pad(d, 2)}`
}

export function isoMoment(moment: Moment): string {
  const day = floorDiv(moment.us, DAY_US)
  const rest = moment.us - day * DAY_US
  const [h, m, s] = clock(rest)
  const fraction = Number(rest % 1_000_000n)
  const tail = fraction ? `.${pad(fraction, 6)}` : ''
  return `${isoDay(new Day(Number(day)))}T${pad(h, 2)}:${pad(m, 2)}:${pad(s, 2)}${tail}Z`
}

const zones = new Map<string, Intl.DateTimeFormat>()

// The zone's offset from UTC at a moment, in microseconds.
function offset(us: bigint, zone: string): bigint {
  let format = zones.get(zone)
  if (format === undefined) {
    const parts = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric' } as const
    const more = { minute: 'numeric', second: 'numeric', hourCycle: 'h23', timeZone: zone } as const
    format = new Intl.DateTimeFormat('en-US', { ...parts, ...more })
    zones.set(zone, format)
  }
  const second = floorDiv(us, 1_000_000n)
  const read: Record<string, number> = {}
  for (const part of format.formatToParts(new Date(Number(second) * 1000)))
    read[part.type] = Number(part.value)
  const there = dayNumber(read.year!, read.month!, read.day!) * 86_400
  return (BigInt(there + read.hour! * 3600 + read.minute! * 60 + read.second!) - second) * 1_000_000n
}

// The local day, and the microseconds since its midnight.
function local(moment: Moment, zone: string): [number, bigint] {
  const us = moment.us + offset(moment.us, zone)
  const day = floorDiv(us, DAY_US)
  inYears(Number(day))
  return [Number(day), us - day * DAY_US]
}

function fromLocal(day: number, rest: bigint, zone: string): Moment {
  const us = BigInt(day) * DAY_US + rest
  const guess = us - offset(us - offset(us, zone), zone)
  return within(guess)
}

function within(us: bigint): Moment {
  const day = floorDiv(us, DAY_US)
  return day >= FIRST && day <= LAST ? new Moment(us) : fault()
}

function clock(rest: bigint): [number, number, number] {
  const second = Number(rest / 1_000_000n)
  return [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60]
}

export const dayOfMoment = (moment: Moment, zone: string) => new Day(local(moment, zone)[0])
export const year = (day: Day) => num(civil(day.n)[0])
export const month = (day: Day) => num(civil(day.n)[1])
export const dayOfMonth = (day: Day) => num(civil(day.n)[2])
export const hour = (moment: Moment, zone: string) => num(clock(local(moment, zone)[1])[0])
export const minute = (moment: Moment, zone: string) => num(clock(local(moment, zone)[1])[1])

const isoWeekday = (n: number) => ((((n + 3) % 7) + 7) % 7) + 1

export function weekday(day: Day, numbering: Num): Num {
  const monday = isoWeekday(day.n)
  const way = isWhole(numbering) ? whole(numbering) : 0
  if (way === 1) return num((monday % 7) + 1)
  if (way === 2) return num(monday)
  if (way === 3) return num(monday - 1)
  throw new Blank('E_ARGUMENT')
}

function addMonths(day: Day, months: number): Day {
  const [y, m, d] = civil(day.n)
  const count = y * 12 + m - 1 + months
  if (!(count >= 12 && count < 120_000)) fault()
  const there = Math.floor(count / 12)
  const then = (count % 12) + 1
  return new Day(dayNumber(there, then, Math.min(d, monthEnd(there, then))))
}

function addWhole(day: Day, days: number): Day {
  return Math.abs(days) > MOST_DAYS ? fault() : inYears(day.n + days)
}

export const addDays = (day: Day, days: Num) => addWhole(day, steps(days))
export const daysBetween = (a: Day, b: Day) => num(a.n - b.n)
export const edate = (day: Day, n: Num) => addMonths(day, steps(n))

export function eomonth(day: Day, n: Num): Day {
  const [y, m] = civil(addMonths(day, steps(n)).n)
  return new Day(dayNumber(y, m, monthEnd(y, m)))
}

export function dateAdd(day: Day, n: Num, unit: string): Day {
  const count = steps(n)
  if (unit === 'day' || unit === 'week') return addWhole(day, count * (unit === 'week' ? 7 : 1))
  return addMonths(day, count * (unit === 'year' ? 12 : 1))
}

export function momentAdd(moment: Moment, n: Num, unit: string, zone: string): Moment {
  const count = num(steps(n))
  if (unit === 'minute' || unit === 'hour') return addSpan(moment, duration(count, unit))
  const [day, rest] = local(moment, zone)
  return fromLocal(dateAdd(new Day(day), count, unit).n, rest, zone)
}

export function dateDiff(a: Day, b: Day, unit: string): Num {
  if (b.n < a.n) {
    const other = dateDiff(b, a, unit)
    return new Num(-other.c, other.s)
  }
  if (unit === 'day' || unit === 'week') return num(Math.floor((b.n - a.n) / (unit === 'week' ? 7 : 1)))
  const [ya, ma, da] = civil(a.n)
  const [yb, mb, db] = civil(b.n)
  const months = (yb - ya) * 12 + mb - ma - (db < da ? 1 : 0)
  return num(unit === 'year' ? Math.floor(months / 12) : months)
}

export function momentDiff(a: Moment, b: Moment, unit: string, zone: string): Num {
  if (unit === 'minute' || unit === 'hour') return new Num((b.us - a.us) / SIZE[unit]!, 0)
  return dateDiff(dayOfMoment(a, zone), dayOfMoment(b, zone), unit)
}

export function age(born: Day, on: Day): Num {
  return on.n < born.n ? fault() : dateDiff(born, on, 'year')
}

function span(us: bigint): Span {
  const most = BigInt(MOST_DAYS) * DAY_US
  return us > most || us < -most ? fault() : new Span(us)
}

export function duration(n: Num, unit: string): Span {
  const most = 10n ** BigInt(10 + n.s)
  if (n.c > most || n.c < -most) fault()
  return span((n.c * SIZE[unit]!) / 10n ** BigInt(n.s))
}

export const addSpan = (moment: Moment, by: Span) => within(moment.us + by.us)
export const subSpan = (moment: Moment, by: Span) => within(moment.us - by.us)
export const spanBetween = (a: Moment, b: Moment) => new Span(a.us - b.us)
export const spansAdd = (a: Span, b: Span) => span(a.us + b.us)
export const spansSub = (a: Span, b: Span) => span(a.us - b.us)
export const spanNeg = (a: Span) => new Span(-a.us)

export function formatDate(day: Day, pattern: string): string {
  return stamp(day.n, 0n, pattern)
}

export function formatMoment(moment: Moment, pattern: string, zone: string): string {
  const [day, rest] = local(moment, zone)
  return stamp(day, rest, pattern)
}

function stamp(n: number, rest: bigint, pattern: string): string {
  const [y, mo, d] = civil(n)
  const [h, mi, s] = clock(rest)
  const shown: Record<string, string> = { yyyy: pad(y, 4), M: `${mo}`, d: `${d}`, H: `${h}`, m: `${mi}`, s: `${s}` }
  Object.assign(shown, { MM: pad(mo, 2), dd: pad(d, 2), HH: pad(h, 2), mm: pad(mi, 2), ss: pad(s, 2) })
  return pattern.replace(/yyyy|MM?|dd?|HH?|mm?|ss?/g, (token) => shown[token]!)
}

interface Worked {
  first: number
  last: number
  days: number[]
  before: number[]
}
const known = new WeakMap<Calendar, Worked>()

function worked(calendar: Calendar | undefined): Worked {
  if (calendar === undefined) throw new Blank('E_CALENDAR')
  let found = known.get(calendar)
  if (found === undefined) {
    const off = new Set(calendar.off.map((text) => parseDay(text).n))
    const on = new Set(calendar.on.map((text) => parseDay(text).n))
    const [first, last] = [parseDay(calendar.first).n, parseDay(calendar.last).n]
    found = { first, last, days: [], before: [0] }
    for (let n = first; n <= last; n++) {
      if (on.has(n) || (isoWeekday(n) < 6 && !off.has(n))) found.days.push(n)
      found.before.push(found.days.length)
    }
    known.set(calendar, found)
  }
  return found
}

function position(day: Day, calendar: Worked): number {
  if (day.n < calendar.first || day.n > calendar.last) throw new Blank('E_CALENDAR')
  return day.n - calendar.first
}

export function workday(day: Day, n: Num, given: Calendar | undefined): Day {
  const calendar = worked(given)
  const at = position(day, calendar)
  const count = whole(n)
  if (count === 0) return day
  const found = calendar.days[count > 0 ? calendar.before[at + 1]! + count - 1 : calendar.before[at]! + count]
  if (found === undefined) throw new Blank('E_CALENDAR')
  return new Day(found)
}

export function networkdays(a: Day, b: Day, given: Calendar | undefined): Num {
  const calendar = worked(given)
  const [from, to] = [position(a, calendar), position(b, calendar)]
  if (to < from) return num(-(calendar.before[from + 1]! - calendar.before[to]!))
  return num(calendar.before[to + 1]! - calendar.before[from]!)
}
