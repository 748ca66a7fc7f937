import { expect, it, onTestFinished } from 'vitest'
import type { EchoAnswer } from '../../../src/standalone/echo.ts'
import { startExample } from './start-example.ts'

it('examples/sessions keeps each visitor where the first request went', { timeout: 20_000 }, async () => {
  const gateway = await startExample('sessions')
  onTestFinished(async () => {
    expect(await gateway.close(), gateway.stderr).toBe(0)
  })
  const client = await gateway.connect('http://cart.example.com/')
  const ask = async (path: string, fields: string) => {
    client.send(`GET ${path} HTTP/1.1\r\nHost: cart.example.com\r\n${fields}\r\n`)
    const answer = await client.answer()
    return { ...answer, service: (JSON.parse(answer.body) as EchoAnswer).service }
  }
  const met = new Set<string>()
  for (let visitor = 0; visitor < 4; visitor += 1) {
    const first = await ask('/basket', '')
    met.add(first.service)
    const cookie = first.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/^cart-session=[\w-]+; Path=\/; Max-Age=28800; HttpOnly; SameSite=Lax$/)
    for (let again = 0; again < 4; again += 1) {
      const answer = await ask('/basket', `Cookie: ${cookie.slice(0, cookie.indexOf(';'))}\r\n`)
      expect([answer.service, answer.headers.get('set-cookie')]).toEqual([first.service, undefined])
    }
  }
  expect([...met].sort()).toEqual(['cart', 'cart-canary'])

  const token = (await ask('/api', '')).headers.get('x-cart-session') ?? ''
  expect(token).not.toBe('')
  expect((await ask('/api', `X-Cart-Session: ${token}\r\n`)).headers.get('x-cart-session')).toBeUndefined()
})
