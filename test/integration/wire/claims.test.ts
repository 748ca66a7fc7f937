/** What a client claims of itself, and what it tries to take away: names in every spelling, `Connection` as a weapon, trust. */
import { describe, expect, it } from 'vitest'
import { harness } from '../../harness/harness.ts'
import { always, response } from '../../harness/scripted-backend.ts'

const h = harness()

const claims = [
  'X-Forwarded-For: 6.6.6.6',
  'x_forwarded_for: 6.6.6.6',
  'X-Forwarded_Proto: https',
  'X_FORWARDED_HOST: evil',
  'X-Forwarded-Port: 666',
  'X-Forwarded-Prefix: /evil',
  'X-Forwarded-Client-Cert: evil',
  'Forwarded: for=6.6.6.6',
  'X-Real-IP: 6.6.6.6',
  'X_Real-Ip: 6.6.6.6',
  'X-Request-Id: evil',
  'X_Request_Id: evil',
  'x-request_ID: evil',
]

describe('a client', () => {
  it('[wire:exchange-nobody-trusted] cannot say of itself what the gateway says, however it spells the names', async () => {
    const { web, client } = await h.scene()
    await client.request({ fields: claims })
    const { head } = web.request
    expect(head).not.toMatch(/6\.6\.6\.6|evil|666/)
    for (const [name, value] of [
      ['x-forwarded-for', '127.0.0.1'],
      ['x-forwarded-proto', 'http'],
      ['x-forwarded-host', 'a.example'],
    ] as const)
      expect(web.request.headers(name)).toEqual([value])
    expect(web.request.headers('x-request-id')).toHaveLength(1)
  })

  it('[wire:exchange-nobody-trusted] cannot choose a route by what it claims', async () => {
    const web = await h.backend(always(response('web')))
    const inner = await h.backend(always(response('inner')))
    const gate = await h.gateway({
      pools: { web: [web.port], inner: [inner.port] },
      rules: [
        { backends: ['inner'], match: { headers: [{ name: 'x-forwarded-for', kind: 'exact', value: '10.0.0.1' }] } },
        { backends: ['inner'], match: { headers: [{ name: 'x-real-ip', kind: 'exact', value: '10.0.0.1' }] } },
        { backends: ['inner'], match: { headers: [{ name: 'x-request-id', kind: 'exact', value: 'debug' }] } },
        { backends: ['web'] },
      ],
    })
    const client = await h.client(gate)
    for (const claim of ['X-Forwarded-For: 10.0.0.1', 'X-Real-IP: 10.0.0.1', 'X-Request-Id: debug'])
      expect((await client.request({ fields: [claim] })).body).toBe('web')
  })

  it.each([
    'Host',
    'content-length',
    'Transfer-Encoding',
    'X-Forwarded-For',
    'x-forwarded-proto, X-Forwarded-Host',
    'X-Request-Id',
    'Connection',
    ':authority',
  ])('[wire:header-connection-protected] cannot name %s away', async (name) => {
    const { web, client } = await h.scene()
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nConnection: ${name}\r\nContent-Length: 4\r\n\r\nbody`)
    expect((await client.answer()).body).toBe('ok')
    const { request } = web
    for (const kept of ['host', 'content-length', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-request-id'])
      expect(request.headers(kept)).toHaveLength(1)
    expect([request.body, web.rest]).toEqual(['body', ''])
  })

  it('[wire:header-hop-by-hop] names away what has no meaning for the gateway, over several Connection lines, `__proto__` too', async () => {
    const { web, client } = await h.scene()
    await client.request({
      fields: [
        '__proto__: x',
        'X-Hop: 1',
        'x-hop: 2',
        'constructor: y',
        'X-Stay: 1',
        'Connection: __PROTO__',
        'Connection: keep-alive,, X-HOP ,constructor',
        'Keep-Alive: timeout=5',
        'Proxy-Connection: keep-alive',
        'HTTP2-Settings: x',
      ],
    })
    expect(web.request.head).not.toMatch(/proto__|hop|constructor|keep-alive|connection|settings/i)
    expect(web.request.header('x-stay')).toBe('1')
  })
})

describe('a trusted peer', () => {
  it('[wire:exchange-trusted-peer] continues X-Forwarded-For over several lines, keeps the rest, and its id goes into log and answer', async () => {
    const { web, gate, client } = await h.scene(undefined, { trusted: true })
    await client.request({
      fields: [
        'X-Forwarded-For: 1.1.1.1',
        'x-forwarded-for: 2.2.2.2',
        'X-Forwarded-Proto: https',
        'X-Request-Id: given',
        'Forwarded: for=1.1.1.1',
        'X_Forwarded_For: 6.6.6.6',
        'X-Forwarded-Client_Cert: evil',
        'x_request-id: evil',
      ],
    })
    expect(web.request.headers('x-forwarded-for')).toEqual(['1.1.1.1, 2.2.2.2, 127.0.0.1'])
    expect(web.request.headers('x-forwarded-proto')).toEqual(['https'])
    expect(web.request.headers('forwarded')).toEqual(['for=1.1.1.1'])
    expect(web.request.headers('x-request-id')).toEqual(['given'])
    expect(web.request.head).not.toContain('_')
    expect((await gate.record()).requestId).toBe('given')
  })
})

describe('a target that names its scheme', () => {
  it('[wire:exchange-nobody-trusted] does not decide what the connection is', async () => {
    const { web, client } = await h.scene()
    client.send('GET https://A.example/x?y HTTP/1.1\r\nHost: a.EXAMPLE:443\r\n\r\n')
    expect((await client.answer()).body).toBe('ok')
    const { request } = web
    expect([request.line, request.headers('host'), request.header('x-forwarded-proto'), request.header('x-forwarded-host')]).toEqual([
      'GET /x?y HTTP/1.1',
      ['A.example'],
      'http',
      'A.example',
    ])
  })
})
