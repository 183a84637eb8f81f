import { describe, expect, it } from 'vitest'
import { dueWords, type Patterns } from './deadlines'
import words from '../../templates/words/zh-CN/pages.json'

const minute = 60_000
const patterns = Object.fromEntries(
  ['left_minutes', 'left_hours', 'left_days', 'late_minutes', 'late_hours', 'late_days', 'now'].map((key) => [
    key,
    (words as Record<string, string>)[`page.due.${key}`],
  ]),
) as unknown as Patterns
const at = (minutes: number) => dueWords(minutes * minute, 0, patterns)

describe('a deadline', () => {
  it('is soon within half an hour, and says how long is left', () => {
    expect(at(12)).toEqual({ state: 'soon', words: '还剩 12 分钟' })
    expect(at(45)).toEqual({ state: 'far', words: '还剩 45 分钟' })
  })
  it('is late when it has passed, and says how long ago', () => {
    expect(at(-5)).toEqual({ state: 'late', words: '已超时 5 分钟' })
    expect(at(-200)).toEqual({ state: 'late', words: '已超时 3 小时 20 分' })
  })
  it('counts days from a day on', () => {
    expect(at(3 * 24 * 60 + 5).words).toBe('还剩 3 天')
  })
  it('is now within a minute of itself', () => {
    expect(dueWords(30_000, 0, patterns).words).toBe('现在到期')
  })
})
