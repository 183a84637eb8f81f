// Numbers as the server counts them: whole numbers times a power of ten, 28 digits in all, at most
// 28 of them behind the point, rounded half-up once. Mirrors platform/expressions/arithmetic.py.

export class Blank extends Error {
  constructor(readonly code: string) {
    super(code)
  }
}

// c * 10^-s
export class Num {
  constructor(
    readonly c: bigint,
    readonly s: number,
  ) {}
}

const DIGITS = 28
const POWERS: bigint[] = [1n]
export const ZERO = new Num(0n, 0)
export const ONE = new Num(1n, 0)

export function ten(n: number): bigint {
  while (POWERS.length <= n) POWERS.push(POWERS[POWERS.length - 1]! * 10n)
  return POWERS[n]!
}

const abs = (c: bigint) => (c < 0n ? -c : c)

function wholeDigits(c: bigint, s: number): number {
  const whole = abs(c) / ten(s)
  return whole === 0n ? 0 : whole.toString().length
}

// a / b rounded half away from zero, b > 0
function halfUp(a: bigint, b: bigint): bigint {
  const rounded = (abs(a) * 2n + b) / (b * 2n)
  return a < 0n ? -rounded : rounded
}

function ranged(c: bigint, s: number): Num {
  if (abs(c) >= ten(DIGITS + s)) throw new Blank('E_RANGE')
  return new Num(c, s)
}

export function fit(c: bigint, s: number): Num {
  const places = Math.max(DIGITS - wholeDigits(c, s), 0)
  return s <= places ? ranged(c, s) : ranged(halfUp(c, ten(s - places)), places)
}

export function parseNum(given: unknown): Num | null {
  const text = typeof given === 'string' ? given : typeof given === 'number' ? String(given) : ''
  const match = /^([+-]?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?$/.exec(text)
  if (match === null) return null
  const fraction = match[3] ?? ''
  const shift = fraction.length - Number(match[4] ?? 0)
  const c = BigInt(match[1] + match[2]! + fraction)
  return shift >= 0 ? new Num(c, shift) : new Num(c * ten(-shift), 0)
}

function aligned(a: Num, b: Num): [bigint, bigint, number] {
  const s = Math.max(a.s, b.s)
  return [a.c * ten(s - a.s), b.c * ten(s - b.s), s]
}

export function compareNum(a: Num, b: Num): number {
  const [x, y] = aligned(a, b)
  return x < y ? -1 : x > y ? 1 : 0
}

export function add(a: Num, b: Num): Num {
  const [x, y, s] = aligned(a, b)
  return fit(x + y, s)
}

export const neg = (a: Num) => new Num(-a.c, a.s)
export const sub = (a: Num, b: Num) => add(a, neg(b))
export const mul = (a: Num, b: Num) => fit(a.c * b.c, a.s + b.s)
export const absolute = (a: Num) => new Num(abs(a.c), a.s)

export function div(a: Num, b: Num): Num {
  if (b.c === 0n) throw new Blank('E_DIV0')
  const sign = b.c < 0n ? -1n : 1n
  const over = a.c * ten(b.s) * sign
  const under = b.c * ten(a.s) * sign
  const whole = abs(over) / under
  const places = DIGITS - (whole === 0n ? 0 : whole.toString().length)
  if (places < 0) throw new Blank('E_RANGE')
  return ranged(halfUp(over * ten(places), under), places)
}

export function mod(a: Num, b: Num): Num {
  if (b.c === 0n) throw new Blank('E_DIV0')
  const [x, y, s] = aligned(a, b)
  const rest = x % y
  return fit(rest !== 0n && rest < 0n !== y < 0n ? rest + y : rest, s)
}

export const isWhole = (a: Num) => a.c % ten(a.s) === 0n

// Decimals cut off; what no count can be is held at a number larger than any.
export function whole(a: Num): number {
  const n = a.c / ten(a.s)
  return n > 10n ** 15n ? 1e15 : n < -(10n ** 15n) ? -1e15 : Number(n)
}

export function power(a: Num, n: Num): Num {
  const times = whole(n)
  if (!isWhole(n) || Math.abs(times) > 64) throw new Blank('E_POWER')
  let result = ONE
  for (let i = 0; i < Math.abs(times); i++) result = mul(result, a)
  return times < 0 ? div(ONE, result) : result
}

type Way = 'half' | 'up' | 'down' | 'floor'

export function round(a: Num, n: Num, way: Way): Num {
  const places = Math.max(-DIGITS, Math.min(DIGITS, whole(n)))
  if (a.s <= places) return a
  const unit = ten(a.s - places)
  let c = a.c / unit
  const rest = a.c % unit
  if (way === 'half') c = halfUp(a.c, unit)
  else if (way === 'up' && rest !== 0n) c += a.c < 0n ? -1n : 1n
  else if (way === 'floor' && rest < 0n) c -= 1n
  return places >= 0 ? fit(c, places) : fit(c * ten(-places), 0)
}

export function textOfNum(a: Num): string {
  const sign = a.c < 0n ? '-' : ''
  const digits = abs(a.c).toString().padStart(a.s + 1, '0')
  const point = digits.length - a.s
  const fraction = digits.slice(point).replace(/0+$/, '')
  return sign + digits.slice(0, point) + (fraction ? `.${fraction}` : '')
}

// pattern as the server stores it: grouped 'g' or '-', decimals, percent '%' or '-'
export function formatNum(a: Num, pattern: string): string {
  const percent = pattern.endsWith('%')
  const places = Number(pattern.slice(1, -1))
  const shown = percent ? mul(a, new Num(100n, 0)) : a
  const c = shown.s > places ? halfUp(shown.c, ten(shown.s - places)) : shown.c * ten(places - shown.s)
  const digits = abs(c).toString().padStart(places + 1, '0')
  const point = digits.length - places
  let head = digits.slice(0, point)
  if (pattern[0] === 'g') head = head.replace(/\B(?=(\d{3})+$)/g, ',')
  const tail = places > 0 ? `.${digits.slice(point)}` : ''
  return (c < 0n ? '-' : '') + head + tail + (percent ? '%' : '')
}

export function valueOf(text: string): Num {
  if (!/^[+-]?[0-9]{1,28}(\.[0-9]{1,28})?$/.test(text)) throw new Blank('E_VALUE')
  const number = parseNum(text)!
  return fit(number.c, number.s)
}

function exactSum(values: Num[]): Num {
  let total = ZERO
  for (const value of values) {
    const [x, y, s] = aligned(total, value)
    total = new Num(x + y, s)
  }
  return total
}

export function total(values: Num[]): Num {
  const sum = exactSum(values)
  return fit(sum.c, sum.s)
}

export function average(values: Num[]): Num | null {
  return values.length === 0 ? null : div(exactSum(values), new Num(BigInt(values.length), 0))
}
