/**
 * The formula language in the browser: evaluates the tree that platform/expressions/browser.py
 * makes, with the server's answers (tests/expressions.json is run against both). Text is never
 * parsed or run here.
 */

import { Blank } from './expressions/decimal'
import { Day, Moment, parseMoment } from './expressions/days'
import { OPEN, STRICT, TESTS } from './expressions/operations'
import { equal, isRow, plain, read } from './expressions/values'
import { dayOfMoment } from './expressions/days'
import type { Calendar } from './expressions/days'
import type { Row, Value } from './expressions/values'

export type Node =
  | { const: unknown; kind: string }
  | { field: string; kind: string; up: number }
  | { op: string; args: Node[] }
  | { hop: string; kind: string; base: Node; form: string }
  | { each: Node; rows: Node; cost: number }
  | { keep: Node; rows: Node; cost: number }
  | { find: string; where: Node; body: Node }
  | { group: true }

export interface Tree {
  format: 1
  type: string
  steps: number
  node: Node
  calendar?: Calendar
}

/** One record's surroundings; values are JSON as the API gives it, `now` an ISO moment. */
export interface Env {
  values: Row
  now?: string
  zone?: string
  me?: { person?: string | number | null; unit?: string | number | null; roles?: string[] }
  /** The record behind a link, when the page has it. */
  follow?: (form: string, id: unknown) => Row | null
  /** The first record of another form that fits, when the page can ask. */
  lookup?: (form: string, matches: (row: Row) => boolean) => Row | null
  /** A measure's group. */
  rows?: Row[]
}

export interface Answer {
  /** JSON: numbers as strings, dates as ISO text, null for blank. */
  value: unknown
  /** Codes of what turned blank for a reason, such as E_DIV0. */
  warnings: string[]
}

/** A limit was passed: E_STEPS or E_ROWS. */
export class LimitError extends Error {
  constructor(readonly code: string) {
    super(code)
  }
}

const STEPS = 20_000
const ROWS = 1_000

interface Frame {
  values: Row
  outer: Frame | null
}

interface Run {
  env: Env
  now: Moment
  zone: string
  calendar: Calendar | undefined
  steps: number
  warnings: Set<string>
}

/** What the expression answers for a record. Throws LimitError when a limit is passed. */
export function evaluate(tree: Tree, env: Env): Answer {
  const run: Run = {
    env,
    now: parseMoment(env.now ?? new Date().toISOString()) ?? new Moment(0n),
    zone: env.zone ?? 'Asia/Shanghai',
    calendar: tree.calendar,
    steps: tree.steps,
    warnings: new Set(),
  }
  const value = at(tree.node, { values: env.values, outer: null }, run)
  return { value: plain(value), warnings: [...run.warnings] }
}

/** Whether a condition holds for a record. */
export const holds = (tree: Tree, env: Env): boolean => evaluate(tree, env).value === true

function at(node: Node, frame: Frame, run: Run): Value {
  if ('const' in node) return read(node.const, node.kind)
  if ('field' in node) return field(node, frame)
  if ('op' in node) return operation(node, frame, run)
  if ('hop' in node) return hop(node, frame, run)
  if ('each' in node || 'keep' in node) return over(node, frame, run)
  if ('find' in node) return find(node, frame, run)
  return run.env.rows?.length ? (run.env.rows as Value) : null
}

/** A record's own value, never something of the object's prototype. */
function own(row: Row | undefined, key: string): unknown {
  return row !== undefined && Object.prototype.hasOwnProperty.call(row, key) ? row[key] : null
}

function field(node: { field: string; kind: string; up: number }, frame: Frame): Value {
  let here: Frame | null = frame
  for (let up = node.up; up > 0 && here !== null; up--) here = here.outer
  return read(own(here?.values, node.field), node.kind)
}

function hop(node: { hop: string; kind: string; base: Node; form: string }, frame: Frame, run: Run): Value {
  const base = at(node.base, frame, run)
  if (base === null) return null
  const row = isRow(base) ? base : (run.env.follow?.(node.form, base) ?? null)
  return row === null ? null : read(own(row, node.hop), node.kind)
}

function over(node: Extract<Node, { rows: Node }>, frame: Frame, run: Run): Value {
  const rows = (at(node.rows, frame, run) ?? []) as Row[]
  if (!grouped(node.rows)) charge(rows.length, node.cost, run)
  const found: Value[] = []
  for (const values of rows) {
    const inner = { values, outer: frame }
    if ('keep' in node) {
      if (at(node.keep, inner, run) === true) found.push(values)
    } else {
      const value = at(node.each, inner, run)
      if (value !== null) found.push(value)
    }
  }
  return found.length > 0 ? found : null
}

function grouped(node: Node): boolean {
  return 'group' in node || ('keep' in node && grouped(node.rows))
}

function charge(rows: number, cost: number, run: Run): void {
  if (rows > ROWS) throw new LimitError('E_ROWS')
  run.steps += rows * cost
  if (run.steps > STEPS) throw new LimitError('E_STEPS')
}

function find(node: { find: string; where: Node; body: Node }, frame: Frame, run: Run): Value {
  const inside = (values: Row) => ({ values, outer: frame })
  const row = run.env.lookup?.(node.find, (values) => at(node.where, inside(values), run) === true)
  return row ? at(node.body, inside(row), run) : null
}

function operation(node: { op: string; args: Node[] }, frame: Frame, run: Run): Value {
  const lazy = LAZY[node.op]
  if (lazy !== undefined) return lazy(node.args, frame, run)
  const args = node.args.map((arg) => at(arg, frame, run))
  const strict = STRICT[node.op] ?? TESTS[node.op]
  if (strict !== undefined && args.includes(null)) return node.op in TESTS ? false : null
  const face = strict ?? OPEN[node.op]
  if (face === undefined) throw new Error(`unknown operation ${node.op}`)
  try {
    return face(args, run)
  } catch (error) {
    if (!(error instanceof Blank)) throw error
    run.warnings.add(error.code)
    return null
  }
}

type Lazy = (args: Node[], frame: Frame, run: Run) => Value

const id = (given: string | number | null | undefined): Value => read(given, 'any')

/** Operations that evaluate only what they need, and those that read the surroundings. */
export const LAZY: Record<string, Lazy> = {
  if(args, frame, run) {
    for (let i = 0; i + 1 < args.length; i += 2)
      if (at(args[i]!, frame, run) === true) return at(args[i + 1]!, frame, run)
    return at(args[args.length - 1]!, frame, run)
  },
  switch(args, frame, run) {
    const subject = at(args[0]!, frame, run)
    for (let i = 1; i + 1 < args.length; i += 2)
      if (equal(subject, at(args[i]!, frame, run))) return at(args[i + 1]!, frame, run)
    return at(args[args.length - 1]!, frame, run)
  },
  and: (args, frame, run) => args.every((arg) => at(arg, frame, run) === true),
  or: (args, frame, run) => args.some((arg) => at(arg, frame, run) === true),
  ifblank(args, frame, run) {
    for (const arg of args) {
      const value = at(arg, frame, run)
      if (value !== null) return value
    }
    return null
  },
  today: (_args, _frame, run): Day => dayOfMoment(run.now, run.zone),
  now: (_args, _frame, run) => run.now,
  me: (_args, _frame, run) => id(run.env.me?.person),
  myorg: (_args, _frame, run) => id(run.env.me?.unit),
  has_role: (args, frame, run) => (run.env.me?.roles ?? []).includes(at(args[0]!, frame, run) as string),
}
