// The table of cases is asked of this evaluator by tests/platform/expressions; here stands what only
// the browser has: JSON in and out, limits, records that come from outside.
import { describe, expect, it } from 'vitest'
import { LAZY, evaluate, holds } from './evaluate'
import { add, div, parseNum, textOfNum } from './expressions/decimal'
import type { Node, Tree } from './evaluate'

const tree = (node: Node, type = 'number'): Tree => ({ format: 1, type, steps: 1, node })
const field = (key: string, kind = 'number', up = 0): Node => ({ field: key, kind, up })
const number = (text: string): Node => ({ const: text, kind: 'number' })
const op = (name: string, ...args: Node[]): Node => ({ op: name, args })

describe('evaluate', () => {
  it('adds decimals as people do', () => {
    expect(textOfNum(add(parseNum('0.1')!, parseNum('0.2')!))).toBe('0.3')
    expect(textOfNum(div(parseNum('1')!, parseNum('3')!))).toBe('0.3333333333333333333333333333')
  })

  it('takes numbers as numbers and as text, and answers text', () => {
    const sum = tree(op('add', field('a'), field('b')))
    expect(evaluate(sum, { values: { a: 1, b: '2.50' } }).value).toBe('3.5')
    expect(evaluate(sum, { values: { a: '9007199254740993', b: 0 } }).value).toBe('9007199254740993')
  })

  it('is blank for what is missing, and says why a division is', () => {
    expect(evaluate(tree(op('add', field('a'), number('1'))), { values: {} })).toEqual({ value: null, warnings: [] })
    const divided = evaluate(tree(op('div', number('1'), field('a'))), { values: { a: 0 } })
    expect(divided).toEqual({ value: null, warnings: ['E_DIV0'] })
  })

  it('never reads what an object inherits', () => {
    for (const key of ['constructor', '__proto__', 'toString', 'hasOwnProperty'])
      expect(evaluate(tree(field(key, 'any'), 'any'), { values: {} }).value).toBeNull()
  })

  it('orders text by code point, not by UTF-16', () => {
    const less = tree(op('lt', field('a', 'text'), field('b', 'text')), 'bool')
    expect(holds(less, { values: { a: '\ufffc', b: '😀' } })).toBe(true)
  })

  it('evaluates only the branch that is taken', () => {
    const chosen = tree(op('if', op('isblank', field('a')), number('0'), op('div', number('1'), field('a'))))
    expect(evaluate(chosen, { values: {} })).toEqual({ value: '0', warnings: [] })
    expect(Object.keys(LAZY)).toContain('if')
  })

  it('follows a link to a record the page has, and to one it must ask for', () => {
    const level: Node = { hop: 'level', kind: 'text', base: field('customer', 'row'), form: 'customer' }
    expect(evaluate(tree(level), { values: { customer: { _id: '7', level: 'gold' } } }).value).toBe('gold')
    const follow = (form: string, id: unknown) => (form === 'customer' && id === '7' ? { level: 'red' } : null)
    expect(evaluate(tree(level), { values: { customer: '7' }, follow }).value).toBe('red')
    expect(evaluate(tree(level), { values: { customer: '7' } }).value).toBeNull()
  })

  it('stops where the server stops', () => {
    const rows = (cost: number): Node => ({ each: field('qty'), rows: field('items', 'list:row'), cost })
    const items = Array.from({ length: 1000 }, () => ({ qty: 1 }))
    expect(evaluate(tree(op('list_sum', rows(19))), { values: { items } }).value).toBe('1000')
    expect(() => evaluate(tree(op('list_sum', rows(20))), { values: { items } })).toThrow('E_STEPS')
    const more = [...items, { qty: 1 }]
    expect(() => evaluate(tree(op('list_sum', rows(1))), { values: { items: more } })).toThrow('E_ROWS')
  })

  it('knows the clinic’s day', () => {
    const today = tree(op('today'), 'date')
    expect(evaluate(today, { values: {}, now: '2026-03-03T16:00:00Z' }).value).toBe('2026-03-04')
    expect(evaluate(today, { values: {}, now: '2026-03-03T16:00:00Z', zone: 'UTC' }).value).toBe('2026-03-03')
  })
})
