import { beforeEach, describe, expect, it } from 'vitest'
import type { Tree } from './evaluate'
import { live, type Behaviour } from './live'

const one: Tree = { format: 1, type: 'number', steps: 1, node: { const: '1', kind: 'number' } }
const field = (key: string) => ({ field: key, kind: 'number', up: 0 })
const product: Tree = { format: 1, type: 'number', steps: 3, node: { op: 'mul', args: [field('qty'), field('price')] } }
const behaviour: Behaviour = {
  fields: {},
  rows: { items: { net: { value: product }, qty: { default: one } } },
  kept: {},
  now: Date.now(),
  zone: 'Asia/Shanghai',
  offset: '+08:00',
  me: { person: '1', unit: '1', roles: [] },
}
const row = (at: number, price: string) =>
  `<div data-row="${at}"><div data-field="items.${at}.qty" data-type="number"><input name="items.${at}.qty"></div>
   <div data-field="items.${at}.price" data-type="money"><input name="items.${at}.price" value="${price}"></div>
   <div data-field="items.${at}.net" data-type="money"><span data-shown></span></div></div>`

let form: HTMLFormElement
let refresh: () => void

beforeEach(() => {
  document.body.innerHTML = `<form><div data-rows="items">${row(0, '5')}${row(1, '')}</div></form>`
  form = document.querySelector('form')!
  refresh = live(form, behaviour)
})

const at = (name: string) => form.elements.namedItem(name) as HTMLInputElement
const type = (name: string, value: string) => {
  at(name).value = value
  refresh()
}

describe('a row that is begun', () => {
  it('has its defaults once, and what rests on them is worked out', () => {
    expect(at('items.1.qty').value).toBe('')
    type('items.1.price', '7')
    expect(at('items.1.qty').value).toBe('1')
    expect(form.querySelector('[data-row="1"] [data-shown]')!.textContent).toBe('¥7.00')
    type('items.1.qty', '')
    expect(at('items.1.qty').value).toBe('')
  })
  it('is none that was there: what stands blank in it stays blank', () => {
    type('items.0.price', '6')
    expect(at('items.0.qty').value).toBe('')
  })
})
