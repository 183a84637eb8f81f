import { beforeEach, describe, expect, it } from 'vitest'
import { rows } from './rows'

const cells = (at: string) => `<div data-row="${at}" aria-label="row 1"><span data-row-number>1</span><button data-row-remove value="items.${at}"></button>
  <div data-field="items.${at}.price"><label for="f-items.${at}.price"></label><input id="f-items.${at}.price" name="items.${at}.price" aria-describedby="h-items.${at}.price p-items.${at}.price"></div></div>`

let form: HTMLFormElement
let told = 0

beforeEach(() => {
  document.body.innerHTML = `<form><div data-rows="items" data-most="3"><input type="hidden" name="items._rows" value="1" data-rows-count>
    <div data-rows-all>${cells('0')}</div><button data-row-add value="items"></button><template data-row-blank>${cells('ROW')}</template></div></form>`
  form = document.querySelector('form')!
  told = 0
  rows(form, () => told++)
})

const names = () => [...form.querySelectorAll<HTMLInputElement>('[data-row] input')].map((input) => input.name)
const click = (what: string, at = 0) => (form.querySelectorAll<HTMLElement>(what)[at] as HTMLElement).click()
const count = () => (form.elements.namedItem('items._rows') as HTMLInputElement).value

describe('rows of a sub-form', () => {
  it('are added up to the most, each by its place', () => {
    click('[data-row-add]')
    click('[data-row-add]')
    expect(names()).toEqual(['items.0.price', 'items.1.price', 'items.2.price'])
    expect(count()).toBe('3')
    expect(form.querySelector<HTMLElement>('[data-row-add]')!.hidden).toBe(true)
    expect(told).toBe(2)
    const input = form.querySelectorAll('[data-row] input')[2]!
    expect(input.getAttribute('aria-describedby')).toBe('h-items.2.price p-items.2.price')
  })
  it('keep what was typed when one before them goes', () => {
    click('[data-row-add]')
    ;(form.elements.namedItem('items.1.price') as HTMLInputElement).value = '7'
    click('[data-row-remove]')
    expect(names()).toEqual(['items.0.price'])
    expect((form.elements.namedItem('items.0.price') as HTMLInputElement).value).toBe('7')
    expect(form.querySelector('[data-row-remove]')!.getAttribute('value')).toBe('items.0')
    expect(count()).toBe('1')
  })
})
