import { beforeEach, describe, expect, it } from 'vitest'
import { wrong, type Words } from './complain'
import { draftOf, forgetDrafts, keepDraft } from './drafts'
import { jsonOf, number, putBack, shown, typed, valueOf } from './values'

const words = { required: 'required', pick_one: 'pick', phone: 'phone', number: 'number', least: '>= {least}', most: '<= {most}', email: 'email' } as Words

function page(): HTMLFormElement {
  document.body.innerHTML = `<form>
    <div data-field="name" data-type="text"><input id="f-name" name="name"></div>
    <div data-field="mobile" data-type="phone"><input name="mobile"></div>
    <div data-field="age" data-type="number"><input name="age"></div>
    <div data-field="rate" data-type="percent"><input name="rate"></div>
    <div data-field="at" data-type="datetime"><input name="at"></div>
    <div data-field="urgent" data-type="yesno"><input type="radio" name="urgent" value="true"><input type="radio" name="urgent" value="false"></div>
    <div data-field="scans" data-type="file"><input type="checkbox" name="scans" value="f1"><input type="file" name="scans"></div>
    <div data-field="wishes" data-type="choices"><input type="checkbox" name="wishes" value="a"><input type="checkbox" name="wishes" value="b"></div>
  </form>`
  return document.querySelector('form')!
}

const set = (form: HTMLFormElement, name: string, value: string) => {
  ;(form.elements.namedItem(name) as HTMLInputElement).value = value
}

describe('what is wrong with a field', () => {
  it('is missing only when it is asked for', () => {
    const form = page()
    expect(wrong(form, 'name', true, {}, words)).toBe('required')
    expect(wrong(form, 'name', false, {}, words)).toBeNull()
    expect(wrong(form, 'urgent', true, {}, words)).toBe('pick')
  })
  it('is a number out of its limits, or no number', () => {
    const form = page()
    set(form, 'age', '１２0')
    expect(wrong(form, 'age', false, { max: 110 }, words)).toBe('<= 110')
    set(form, 'age', 'old')
    expect(wrong(form, 'age', false, {}, words)).toBe('number')
  })
  it('is a phone number of another length', () => {
    const form = page()
    set(form, 'mobile', '1990000')
    expect(wrong(form, 'mobile', false, {}, words)).toBe('phone')
    set(form, 'mobile', '199 0000 0001')
    expect(wrong(form, 'mobile', false, {}, words)).toBeNull()
  })
})

describe('what formulas read', () => {
  it('is decimals as text, shares of one, and times with their zone', () => {
    const form = page()
    set(form, 'rate', '12.5')
    set(form, 'at', '2026-03-03T10:00')
    expect(jsonOf(form, 'rate', '+08:00')).toBe('0.125000')
    expect(jsonOf(form, 'at', '+08:00')).toBe('2026-03-03T10:00:00+08:00')
    expect(valueOf(form, 'urgent')).toBeNull()
  })
  it('is a list of the files that are kept', () => {
    const form = page()
    expect(valueOf(form, 'scans')).toBeNull()
    expect(wrong(form, 'scans', true, {}, words)).toBe('required')
    form.querySelector<HTMLInputElement>('[value=f1]')!.checked = true
    expect(valueOf(form, 'scans')).toEqual(['f1'])
    expect(typed(form).scans).toEqual(['f1'])
    putBack(form, { scans: ['f2'] })
    expect(valueOf(form, 'scans')).toBeNull()
  })
  it('takes what a Chinese keyboard types for digits', () => {
    expect(number('１，２３４．５')).toBe(1234.5)
    expect(number('abc')).toBeNull()
  })
})

describe('a draft', () => {
  beforeEach(() => localStorage.clear())
  it('comes back as it was typed, ticks and all', () => {
    const form = page()
    set(form, 'name', '王女士')
    form.querySelector<HTMLInputElement>('[value=b]')!.checked = true
    keepDraft('7:lead:1:new', typed(form))
    const again = page()
    putBack(again, draftOf('7:lead:1:new')!.values)
    expect(typed(again)).toMatchObject({ name: ['王女士'], wishes: ['b'] })
  })
  it('is gone after a day, and at sign-out', () => {
    keepDraft('a', { name: ['x'] })
    localStorage.setItem('careloom:draft:old', JSON.stringify({ at: Date.now() - 25 * 3_600_000, values: {} }))
    expect(draftOf('old')).toBeNull()
    localStorage.setItem('other', 'stays')
    forgetDrafts()
    expect(draftOf('a')).toBeNull()
    expect(localStorage.getItem('other')).toBe('stays')
  })
})

describe('a calculated value', () => {
  it('is written as the server writes it', () => {
    expect(shown('money', '26800')).toBe('¥26,800.00')
    expect(shown('money', '-12.5')).toBe('-¥12.50')
    expect(shown('percent', '0.0429')).toBe('4.29%')
    expect(shown('number', '45')).toBe('45')
  })
})
