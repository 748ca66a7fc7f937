import { describe, expect, it } from 'vitest'
import type { BackendConfig, SessionConfig } from '../../../src/config/route.ts'
import type { ClientAnswer, HttpClient } from '../../harness/client.ts'
import { pause } from '../../harness/eventually.ts'
import type { Gateway, GatewayOptions } from '../../harness/gateway.ts'
import type { ConfigSketch, RuleSketch } from '../../harness/gateway-config.ts'
import { harness } from '../../harness/harness.ts'
import { always, type Backend, response } from '../../harness/scripted-backend.ts'
import { versions } from './versions.ts'

const h = harness()

const cookie: SessionConfig = { kind: 'cookie', name: 'pin', path: '/', lifetime: 'session', keepsBackend: false }
const header: SessionConfig = { kind: 'header', name: 'X-Session', keepsBackend: false }

/** A pool `a` of four endpoints that answer with their names, `a0` to `a3`, and one `b` of two. */
async function scene(session: SessionConfig, rule: RuleSketch = {}, options: GatewayOptions = {}) {
  const backends = new Map<string, Backend>()
  for (const name of ['a0', 'a1', 'a2', 'a3', 'b0', 'b1']) backends.set(name, await h.backend(always(response(name))))
  const sketch = (names: readonly string[] = [...backends.keys()]): ConfigSketch => ({
    pools: {
      a: names.filter((name) => name.startsWith('a')).map((name) => backends.get(name)?.port ?? 0),
      b: names.filter((name) => name.startsWith('b')).map((name) => backends.get(name)?.port ?? 0),
    },
    rules: [{ backends: ['a'], session, ...rule }],
  })
  return { backends, sketch, gate: await h.gateway(sketch(), options) }
}

const setCookie = (answer: ClientAnswer): string => answer.header('set-cookie') ?? ''
const tokenOf = (answer: ClientAnswer): string => /^pin=([^;]*)/.exec(setCookie(answer))?.[1] ?? ''

const sendCookie = (client: HttpClient, token: string) => client.request({ fields: [`Cookie: pin=${token}`] })

/** The same endpoints for another gateway. */
function sketchOf(sketch: ConfigSketch, backends: RuleSketch['backends'] = []): ConfigSketch {
  return { ...sketch, rules: [{ backends, session: cookie }] }
}

/** Names of the endpoints that answered. */
async function ask(client: HttpClient, token: string, times: number): Promise<Set<string>> {
  const names = new Set<string>()
  for (let asked = 0; asked < times; asked += 1) names.add((await sendCookie(client, token)).body)
  return names
}

/** Like a browser: keeps what it was given last. */
async function browse(client: HttpClient, times: number, first = ''): Promise<{ bodies: string[]; token: string; given: number }> {
  const bodies: string[] = []
  let token = first
  let given = 0
  for (let asked = 0; asked < times; asked += 1) {
    const answer = await sendCookie(client, token)
    bodies.push(answer.body)
    if (setCookie(answer) === '') continue
    token = tokenOf(answer)
    given += 1
  }
  return { bodies, token, given }
}

describe.each(versions(h))('keys of sessions over $name', ({ connect }) => {
  const both = [
    { backend: 'a', weight: 1 },
    { backend: 'b', weight: 1 },
  ].map(({ backend, weight }) => ({ kind: 'pool', pool: backend, weight, filters: [] }) as const)

  it('[wire:session-key] a token of an older key is believed, and given anew by the first one with every pin', async () => {
    const { gate, sketch } = await scene(cookie, { backends: both })
    const before = await browse(await connect(gate), 8)
    const pinned = new Set(before.bodies.slice(-4))
    expect(pinned.size).toBe(2)
    const added = await h.gateway(sketchOf(sketch(), both), { sessionKeys: ['the key of the tests', 'the next key'] })
    expect((await browse(await connect(added), 4, before.token)).given).toBe(0)
    const moved = await h.gateway(sketchOf(sketch(), both), { sessionKeys: ['the next key', 'the key of the tests'] })
    const after = await browse(await connect(moved), 8, before.token)
    expect([after.given, new Set(after.bodies)]).toEqual([1, pinned])
    const dropped = await h.gateway(sketchOf(sketch(), both), { sessionKeys: ['the next key'] })
    const last = await browse(await connect(dropped), 8, after.token)
    expect([last.given, new Set(last.bodies)]).toEqual([0, pinned])
    // The old token is nobody's now.
    expect((await browse(await connect(dropped), 8, before.token)).given).toBeGreaterThan(0)
  })

  it('[wire:session-key] pins of endpoints that are gone are left out of a token that is given anew', async () => {
    const { gate, sketch } = await scene(cookie, { backends: both })
    const before = await browse(await connect(gate), 8)
    const gone = before.bodies.find((name) => name.startsWith('a')) ?? ''
    const stays = before.bodies.find((name) => name.startsWith('b')) ?? ''
    const names = ['a0', 'a1', 'a2', 'a3', 'b0', 'b1'].filter((name) => name !== gone)
    const moved = await h.gateway(sketchOf(sketch(names), both), { sessionKeys: ['the next key', 'the key of the tests'] })
    const after = await browse(await connect(moved), 8, before.token)
    expect(after.bodies.filter((name) => name.startsWith('b'))).toEqual(Array.from({ length: 4 }, () => stays))
    expect(new Set(after.bodies.filter((name) => name.startsWith('a'))).size).toBe(1)
    expect(after.bodies).not.toContain(gone)
  })
})

describe.each(versions(h))('sessions over $name', ({ connect }) => {
  it('[wire:session-pin] the first answer gives a cookie, and who brings it back stays with the endpoint', async () => {
    const { gate } = await scene(cookie)
    const client = await connect(gate)
    for (let visitor = 0; visitor < 8; visitor += 1) {
      const { bodies, given } = await browse(client, 12)
      expect(new Set(bodies).size).toBe(1)
      expect(given).toBe(1)
    }
  })

  it('[wire:session-pin] without a token requests go wherever the balancer says', async () => {
    const { gate } = await scene(cookie)
    const client = await connect(gate)
    const names = new Set<string>()
    for (let asked = 0; asked < 64; asked += 1) names.add((await client.request()).body)
    expect(names.size).toBe(4)
  })

  it('[wire:session-pin] the cookie is found among others, and its namesakes do no harm', async () => {
    const { gate } = await scene(cookie)
    const client = await connect(gate)
    const first = await client.request()
    for (let asked = 0; asked < 8; asked += 1) {
      const answer = await client.request({ fields: [`Cookie: a=1; pin=forged; xpin=2; pin=${tokenOf(first)}; b=3`] })
      expect([answer.body, setCookie(answer)]).toEqual([first.body, ''])
    }
  })

  it('[wire:session-header] a header does the same, on the answer and on the request, whatever its case', async () => {
    const { gate, backends } = await scene(header)
    const client = await connect(gate)
    const first = await client.request()
    const token = first.header('x-session') ?? ''
    expect(token).not.toBe('')
    expect(first.header('set-cookie')).toBeUndefined()
    for (let asked = 0; asked < 12; asked += 1) {
      const answer = await client.request({ fields: [`x-sESSION: ${token}`] })
      expect([answer.body, answer.header('x-session')]).toEqual([first.body, undefined])
    }
    // GEP-1619: the backend should see it too.
    expect(backends.get(first.body)?.requests.at(-1)?.headers('x-session')).toEqual([token])
  })

  it('[wire:session-cookie] its attributes: path, HttpOnly, SameSite, and no lifetime for a session cookie', async () => {
    const { gate } = await scene({ ...cookie, path: '/shop', absoluteTimeout: 60_000 })
    const [, ...attributes] = setCookie(await (await connect(gate)).request()).split('; ')
    expect(attributes).toEqual(['Path=/shop', 'HttpOnly', 'SameSite=Lax'])
  })

  it('[wire:session-cookie] a permanent one carries what is left of the absolute timeout', async () => {
    const { gate } = await scene({ ...cookie, lifetime: 'permanent', absoluteTimeout: 3_600_000 })
    const [, ...attributes] = setCookie(await (await connect(gate)).request()).split('; ')
    expect(attributes).toContain('Path=/')
    const left = Number(attributes.find((one) => one.startsWith('Max-Age='))?.slice('Max-Age='.length))
    expect(left).toBeGreaterThan(3_590)
    expect(left).toBeLessThanOrEqual(3_600)
  })

  it('[wire:session-opaque] a token tells nothing about addresses, and one that was made up or changed is none', async () => {
    const { gate, backends } = await scene(cookie)
    const client = await connect(gate)
    const token = tokenOf(await client.request())
    const bytes = Buffer.from(token, 'base64url')
    expect(token).toMatch(/^[\w-]+$/)
    for (const { port } of backends.values()) {
      expect(bytes.toString('latin1')).not.toContain(String(port))
      expect(bytes.includes(Buffer.from([port >> 8, port & 255]))).toBe(false)
    }
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(setCookie(await sendCookie(client, changed.toString('base64url')))).not.toBe('')
    }
    for (const wrong of ['', 'x', token.slice(4), token + token, 'A'.repeat(5_000)]) {
      const answer = await sendCookie(client, wrong)
      expect([answer.status, tokenOf(answer)]).toEqual([200, expect.stringMatching(/./)])
    }
  })

  it('[wire:session-key] every gateway with the same key knows the token, one with another key does not', async () => {
    const { gate, sketch } = await scene(cookie)
    const twin = await h.gateway(sketch())
    const stranger = await h.gateway(sketch(), { sessionKeys: ['another'] })
    const first = await (await connect(gate)).request()
    expect(await ask(await connect(twin), tokenOf(first), 16)).toEqual(new Set([first.body]))
    expect(setCookie(await sendCookie(await connect(stranger), tokenOf(first)))).not.toBe('')
  })

  it('[wire:session-weights] never overrides the weights, and keeps an endpoint in each backend', async () => {
    const weighted = (pool: string, weight: number) => ({ kind: 'pool', pool, weight, filters: [] }) as const
    const { gate } = await scene(cookie, { backends: [weighted('a', 3), weighted('b', 1)] })
    const { bodies, given } = await browse(await connect(gate), 80)
    expect(bodies.filter((name) => name.startsWith('b')).length).toBeGreaterThanOrEqual(19)
    expect(bodies.filter((name) => name.startsWith('b')).length).toBeLessThanOrEqual(21)
    expect(new Set(bodies).size).toBe(2)
    expect(given).toBe(2)
  })

  it('[wire:session-keeps-backend] keeps the backend too where the route asks for it, and nobody else is moved', async () => {
    const weighted = (pool: string, weight: number) => ({ kind: 'pool', pool, weight, filters: [] }) as const
    const { gate, sketch } = await scene({ ...cookie, keepsBackend: true }, { backends: [weighted('a', 1), weighted('b', 1)] })
    const client = await connect(gate)
    const firsts: string[] = []
    for (let visitor = 0; visitor < 10; visitor += 1) {
      const { bodies } = await browse(client, 6)
      expect(new Set(bodies).size).toBe(1)
      firsts.push(bodies[0] ?? '')
    }
    expect(firsts.filter((name) => name.startsWith('b'))).toHaveLength(5)

    // A backend that the route has no more is nothing to keep.
    const { token, bodies } = await browse(client, 1)
    const other = bodies[0]?.startsWith('a') === true ? 'b' : 'a'
    gate.update({ ...sketch(), rules: [{ backends: [weighted(other, 1)], session: { ...cookie, keepsBackend: true } }] })
    const moved = await browse(client, 4, token)
    expect(moved.bodies.every((name) => name.startsWith(other))).toBe(true)
    expect(new Set(moved.bodies).size).toBe(1)
  })

  it('[wire:session-gone] when the endpoint has gone another one is chosen, and the new one is kept', async () => {
    const { gate, sketch, backends } = await scene(cookie)
    const client = await connect(gate)
    const before = await browse(client, 3)
    gate.update(sketch([...backends.keys()].filter((name) => name !== before.bodies[0])))
    const after = await browse(client, 12, before.token)
    expect(after.bodies).not.toContain(before.bodies[0])
    expect(new Set(after.bodies).size).toBe(1)
    expect(after.given).toBe(1)
  })

  it('[wire:session-gone] when the endpoint refuses connections the request goes to another one, which is named', async () => {
    const { gate, backends } = await scene(cookie)
    const client = await connect(gate)
    const before = await browse(client, 3)
    await backends.get(before.bodies[0] ?? '')?.close()
    const after = await browse(client, 12, before.token)
    expect(after.bodies).not.toContain(before.bodies[0])
    expect(after.given).toBeGreaterThanOrEqual(1)
    expect(new Set(after.bodies.slice(-8)).size).toBe(1)
  })

  it('[wire:session-timeout] a session ends after its absolute timeout, however busy it is', async () => {
    const { gate } = await scene({ ...cookie, absoluteTimeout: 400 })
    const client = await connect(gate)
    const began = performance.now()
    const { token } = await browse(client, 1)
    let given = ''
    while (given === '' && performance.now() - began < 3_000) {
      await pause(20)
      given = tokenOf(await sendCookie(client, token))
    }
    expect(given).not.toBe('')
    expect(performance.now() - began).toBeGreaterThan(395)
    expect(setCookie(await sendCookie(client, given))).toBe('')
  })

  it('[wire:session-own] answers of the gateway itself begin no session', async () => {
    const { gate } = await scene(cookie, { backends: ['a'] })
    gate.update({ pools: { a: [] }, rules: [{ backends: ['a'], session: cookie }] })
    const answer = await (await connect(gate)).request()
    expect([answer.status, setCookie(answer)]).toEqual([503, ''])
  })

  it('[wire:session-cookie] it stands beside the cookies of the backend', async () => {
    const web = await h.backend(always(response('web', '200 OK', 'Set-Cookie: pin=theirs\r\nSet-Cookie: b=2\r\n')))
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'], session: cookie }] })
    const answer = await (await connect(gate)).request()
    expect(answer.headers('set-cookie')).toEqual(['pin=theirs', 'b=2', expect.stringMatching(/^pin=[\w-]{40,}; Path=/)])
  })
})

describe('sessions', () => {
  it('[wire:session-cookie] are Secure over TLS', async () => {
    const web = await h.backend()
    const gate: Gateway = await h.gateway(
      { pools: { web: [web.port] }, rules: [{ backends: ['web'], session: cookie }] },
      { scheme: 'https' },
    )
    expect(setCookie(await (await h.client(gate)).request())).toMatch(/; HttpOnly; Secure; SameSite=Lax$/)
  })

  it('[wire:session-upgrade] begin with an upgrade too', async () => {
    const web = await h.backend(always('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'))
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'], session: cookie }] })
    const client = await h.client(gate)
    client.send('GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
    expect(tokenOf(await client.answer())).not.toBe('')
  })
})

describe('a session of a backend', () => {
  const pool = (name: string, session?: SessionConfig): BackendConfig => ({
    kind: 'pool',
    pool: name,
    weight: 1,
    filters: [],
    ...(session !== undefined && { session }),
  })

  it('[wire:session-backend] pins where the weights send a request to it, and leaves the others as they are', async () => {
    const { sketch } = await scene(cookie)
    const gate = await h.gateway({ ...sketch(), rules: [{ backends: [pool('a', cookie), pool('b')] }] })
    const client = await h.client(gate)
    const { bodies } = await browse(client, 40)
    const met = (name: string) => new Set(bodies.filter((body) => body.startsWith(name)))
    expect(bodies.filter((body) => body.startsWith('a'))).toHaveLength(20)
    expect(met('a').size).toBe(1)
    expect(met('b').size).toBe(2)
    expect(gate.records.map(({ session }) => session).filter((outcome) => outcome === 'kept')).toHaveLength(19)
  })

  it('[wire:session-backend] gives way to that of the rule', async () => {
    const { sketch } = await scene(cookie)
    const own = { ...cookie, name: 'other' }
    const client = await h.client(await h.gateway({ ...sketch(), rules: [{ session: cookie, backends: [pool('a', own)] }] }))
    expect(setCookie(await client.request())).toMatch(/^pin=/)
  })
})
