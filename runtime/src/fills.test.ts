import { beforeEach, describe, expect, it } from 'vitest'
import { fills } from './fills'

let form: HTMLFormElement

beforeEach(() => {
  const row = (at: number, chosen: string, price: string) =>
    `<select name="items.${at}.item"><option value=""></option><option value="crown"${chosen === 'crown' ? ' selected' : ''}>Crown</option><option value="exam">Exam</option><option value="other">Other</option></select><input name="items.${at}.price" value="${price}">`
  document.body.innerHTML = `<form>${row(0, '', '')}${row(1, 'crown', '3800')}</form>`
  form = document.querySelector('form')!
  fills(form, { 'items.item': { crown: { price: '3800.00' }, exam: { price: '0.00' } } })
})

const at = (name: string) => form.elements.namedItem(name) as HTMLInputElement
const choose = (name: string, value: string) => {
  at(name).value = value
  at(name).dispatchEvent(new Event('input', { bubbles: true }))
}

describe('what comes with a choice', () => {
  it('is filled in in the row that was chosen in, and told as if it had been typed', () => {
    let told = ''
    form.addEventListener('input', (event) => (told = (event.target as HTMLInputElement).name))
    choose('items.0.item', 'crown')
    expect([at('items.0.price').value, at('items.1.price').value, told]).toEqual(['3800.00', '3800', 'items.0.item'])
    choose('items.0.item', 'exam')
    expect(at('items.0.price').value).toBe('0.00')
  })
  it('leaves alone what somebody typed, and what has nothing to come', () => {
    choose('items.0.item', 'crown')
    at('items.0.price').value = '3500'
    choose('items.0.item', 'exam')
    expect(at('items.0.price').value).toBe('3500')
    choose('items.1.item', 'other')
    expect(at('items.1.price').value).toBe('3800')
  })
  it('replaces what came with the item that the page came with', () => {
    choose('items.1.item', 'exam')
    expect(at('items.1.price').value).toBe('0.00')
  })
})
