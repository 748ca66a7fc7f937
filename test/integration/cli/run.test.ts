import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { EchoAnswer } from '../../../src/standalone/echo.ts'
import { startBackend } from '../../harness/backend.ts'
import { root } from '../../harness/command-build.ts'
import { runCommand } from '../../harness/command.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { RawClient } from '../../harness/raw-client.ts'
import { type Change, freePort, RunningGateway } from '../../harness/running-gateway.ts'
import { WebSocketClient } from '../../harness/web-socket-client.ts'
import { folder } from '../../unit/sources/folder.ts'

const shop = 'http://shop.example.com/'

async function running(...args: Parameters<typeof RunningGateway.start>): Promise<RunningGateway> {
  const gateway = await RunningGateway.start(...args)
  onTestFinished(async () => void (await gateway.close()))
  return gateway
}

async function echoed(gateway: RunningGateway, url: string): Promise<EchoAnswer> {
  const { hostname, pathname } = new URL(url)
  const { status, body } = await (await gateway.connect(url)).get(hostname, pathname)
  expect(status, body).toBe(200)
  return JSON.parse(body) as EchoAnswer
}

/** Somebody else's listener on a port of loopback, until the test ends. */
async function somebody(): Promise<{ port: number; leave: () => void }> {
  const server = createServer().listen(0, '127.0.0.1')
  const leave = (): void => void server.close()
  onTestFinished(leave)
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, leave }
}

function gatewayYaml(name: string, port: number): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name}, namespace: default }
spec: { gatewayClassName: any, listeners: [{ name: http, port: ${port}, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: default }
spec: { parentRefs: [{ name: ${name} }], rules: [{ backendRefs: [{ name: ${name}, port: 80 }] }] }
`
}

/** A route to a Service for each name, whose sessions stay with the one that they met. */
function sessionYaml(names: readonly string[]): string {
  const backends = names.map((name) => `{ name: ${name}, port: 80 }`).join(', ')
  return `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: default }
spec: { gatewayClassName: any, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: default, annotations: { gatewright.dev/session-keeps-backend: "true" } }
spec: { parentRefs: [{ name: web }], rules: [{ sessionPersistence: { cookie: { name: pin } }, backendRefs: [${backends}] }] }
`
}

describe('gatewright init', () => {
  it('writes a start that run serves and check finds nothing wrong with, and overwrites nothing', async () => {
    const place = join(folder().path, 'new')
    expect(await runCommand(['init', place])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining(`gatewright run ${place}`),
    })
    expect(await runCommand(['check', place, '--fail-on', 'warning'])).toMatchObject({ code: 0 })
    const gateway = await running([place])
    expect((await echoed(gateway, 'http://shop.localhost/')).service).toMatch(/^shop-(stable|canary)$/)
    const before = readFileSync(join(place, 'route.yaml'), 'utf8')
    expect(await runCommand(['init', place])).toMatchObject({ code: 1, stdout: '' })
    expect(readFileSync(join(place, 'route.yaml'), 'utf8')).toBe(before)
  })
})

describe('gatewright run', () => {
  it('serves what comes on standard input', async () => {
    const files = ['gateway.yaml', 'route.yaml', 'services.yaml'].map((file) => readFileSync(join(root, 'examples/matching', file), 'utf8'))
    const gateway = await running(['-'], { input: files.join('---\n') })
    expect((await echoed(gateway, shop)).service).toBe('storefront')
  })

  it('serves a file that is named, and a folder beside it with its gatewright.yaml', async () => {
    const backend = await startBackend('settled')
    onTestFinished(() => backend.stop())
    const place = folder({
      'one.yaml': gatewayYaml('one', 80),
      'rest/two.yaml': gatewayYaml('two', 80),
      'rest/gatewright.yaml': `services: { "default/two:80": "127.0.0.1:${backend.port}" }\n`,
    })
    const file = join(place.path, 'one.yaml')
    const alone = await running([file])
    expect((await echoed(alone, 'http://any.example/')).service).toBe('one')
    const both = await running([file, join(place.path, 'rest')])
    expect(both.ready.listeners.map(({ gateway }) => gateway).sort()).toEqual(['one', 'two'])
    const two = both.ready.listeners.find(({ gateway }) => gateway === 'two')
    const client = await RawClient.plain(two?.port ?? 0, two?.address ?? '')
    expect((await client.get('any.example')).body).toBe('settled')
    await client.close()
    // A save of the file is followed like one within a folder.
    place.write('one.yaml', gatewayYaml('one', 80).replace('name: http', 'name: saved'))
    await alone.change(({ listeners }) => listeners.find(({ listener }) => listener === 'saved'), 'the change')
  })

  it('tells a client that asks where its request went with --debug-header, and not without', async () => {
    const ask = async (...more: readonly string[]) => {
      const client = await (await running(['examples/matching', ...more])).connect(shop)
      client.send('GET / HTTP/1.1\r\nHost: shop.example.com\r\nGatewright-Debug: 1\r\n\r\n')
      const { status, headers, body } = await client.answer()
      const { headers: seen } = JSON.parse(body) as EchoAnswer
      return { status, told: headers.get('gatewright-debug'), seen: Object.keys(seen).includes('gatewright-debug') }
    }
    expect(await ask('--debug-header')).toEqual({
      status: 200,
      told: expect.stringMatching(
        /^request="\w+", route="HTTPRoute\/shop\/.*, backend="Service\/shop\/storefront:80", endpoint="127\.0\.0\.1:\d+", attempts=1$/,
      ),
      seen: false,
    })
    expect(await ask()).toEqual({ status: 200, told: undefined, seen: true })
  })

  it('gives objects without a namespace the one of -n', async () => {
    const place = folder({ 'g.yaml': gatewayYaml('web', 80).replaceAll(', namespace: default', '') })
    const gateway = await running([place.path, '-n', 'mine'])
    expect(gateway.ready.listeners).toMatchObject([{ gateway: 'web', namespace: 'mine' }])
    expect(await echoed(gateway, 'http://any.example/')).toMatchObject({ namespace: 'mine', service: 'web' })
  })

  it('sends a Service where --service says', async () => {
    const backend = await startBackend('mine')
    onTestFinished(() => backend.stop())
    const gateway = await running(['examples/matching', '--service', `shop/storefront:80=127.0.0.1:${backend.port}`])
    expect((await (await gateway.connect(shop)).get('shop.example.com')).body).toBe('mine')
    expect((await echoed(gateway, `${shop}api`)).service).toBe('api')
  })

  it('reads gatewright.yaml of the folder, and a flag wins over it', async () => {
    const [settled, flagged] = [await freePort(), await freePort()]
    const backend = await startBackend('settled')
    onTestFinished(() => backend.stop())
    const place = folder({
      'a.yaml': gatewayYaml('web', 80),
      'gatewright.yaml': `ports: { 80: ${settled} }\nservices: { "default/web:80": "127.0.0.1:${backend.port}" }\n`,
    })
    // A port that nothing here has, so that the harness moves none.
    const own = await running([place.path, '--port', '9=9'])
    expect(own.ready.listeners).toMatchObject([{ port: settled }])
    expect((await (await own.connect('http://any.example/')).get('any.example')).body).toBe('settled')
    const other = await running([place.path, '--port', `80=${flagged}`])
    expect(other.ready.listeners).toMatchObject([{ port: flagged }])
  })

  it('[wire:bounds-options] takes bounds from gatewright.yaml, and a flag wins over them', async () => {
    const place = folder({ 'a.yaml': gatewayYaml('web', 80), 'gatewright.yaml': 'bounds: { request-line: 100, fields: 5 }\n' })
    const statuses = async (gateway: RunningGateway): Promise<number[]> => {
      const ask = async (path: string, lines = ''): Promise<number> => {
        const client = await gateway.connect('http://any.example/')
        client.send(`GET ${path} HTTP/1.1\r\nHost: any.example\r\n${lines}\r\n`)
        return (await client.answer()).status
      }
      return [await ask(`/${'x'.repeat(100)}`), await ask('/', 'A: b\r\n'.repeat(5))]
    }
    expect(await statuses(await running([place.path]))).toEqual([414, 431])
    expect(await statuses(await running([place.path, '--bound', 'request-line=1000']))).toEqual([200, 431])
  })

  it('[wire:proxy-header-required] takes from gatewright.yaml who sends headers of the PROXY protocol, and a flag wins over it', async () => {
    const settings = 'accept-proxy-protocol: [127.0.0.0/8]\n'
    const place = folder({ 'a.yaml': gatewayYaml('web', 80), 'gatewright.yaml': settings })
    const forwardedFor = async (gateway: RunningGateway, header: string): Promise<string | undefined> => {
      const client = await gateway.connect('http://any.example/')
      client.send(`${header}GET / HTTP/1.1\r\nHost: any.example\r\n\r\n`)
      const answer = await client.answer().catch(() => undefined)
      return answer && (JSON.parse(answer.body) as EchoAnswer).headers['x-forwarded-for']
    }
    const header = 'PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n'
    const settled = await running([place.path])
    expect([await forwardedFor(settled, header), await forwardedFor(settled, '')]).toEqual(['192.0.2.7', undefined])
    await eventually(() => settled.stderr.includes('must begin with a header of the PROXY protocol'), 'a line in the log')
    expect(await forwardedFor(await running([place.path, '--accept-proxy-protocol', '192.0.2.0/24']), '')).toBe('127.0.0.1')
    place.replace('gatewright.yaml', 'accept-proxy-protocol: []\n')
    const late = await settled.change(({ findings }) => findings.find(({ code }) => code === 'settings-at-start'), 'a finding')
    expect(late.message).toContain('accept-proxy-protocol of gatewright.yaml changed')
  })

  it('[wire:session-key] keeps the key of sessions, so that a cookie of before a restart still finds its endpoint', async () => {
    const names = ['a', 'b', 'c', 'd']
    const backends = await Promise.all(names.map((name) => startBackend(name)))
    for (const backend of backends) onTestFinished(() => backend.stop())
    const place = folder({ 'a.yaml': sessionYaml(names) })
    const args = [place.path, ...names.flatMap((name, i) => ['--service', `default/${name}:80=127.0.0.1:${backends[i]?.port}`])]
    const state = folder({}).path
    const cookies = new Map<string, string>()
    const first = await running(args, { stateDir: state })
    while (cookies.size < backends.length) {
      const answer = await (await first.connect('http://any.example/')).get('any.example')
      cookies.set(answer.body, /^pin=[^;]+/.exec(answer.headers.get('set-cookie') ?? '')?.[0] ?? '')
    }
    expect(await first.close()).toBe(0)
    const key = join(state, 'session-keys')
    expect(statSync(key).mode & 0o777).toBe(0o600)
    const visit = async (gateway: RunningGateway, cookie: string) => {
      const client = await gateway.connect('http://any.example/')
      client.send(`GET / HTTP/1.1\r\nHost: any.example\r\nCookie: ${cookie}\r\n\r\n`)
      const answer = await client.answer()
      return { body: answer.body, given: answer.headers.get('set-cookie') }
    }
    const second = await running(args, { stateDir: state })
    for (const [name, cookie] of cookies) {
      for (let again = 0; again < 3; again += 1) expect(await visit(second, cookie)).toEqual({ body: name, given: undefined })
    }
    // Another key, of another folder: the cookie is nobody's, and a new one is given.
    const stranger = await running(args)
    for (const cookie of cookies.values()) expect((await visit(stranger, cookie)).given).toMatch(/^pin=/)
  })

  it('says that sessions end with it where the key of sessions cannot be kept, and serves', async () => {
    const place = folder({ 'a.yaml': gatewayYaml('web', 80), 'state/session-keys': 'no key\n' })
    const gateway = await running([place.path], { stateDir: join(place.path, 'state') })
    expect((await echoed(gateway, 'http://any.example/')).service).toBe('web')
    await eventually(() => gateway.stderr.includes('session-keys must be 32 bytes in base64url. Delete it'), 'the warning')
  })

  it('follows gatewright.yaml: mappings and kindnesses at once, ports at the next start, mistakes not at all', async () => {
    const [first, second] = await Promise.all(['first', 'second'].map((name) => startBackend(name)))
    onTestFinished(async () => void (await Promise.all([first?.stop(), second?.stop()])))
    const settings = (backend: { port: number } | undefined, more = ''): string =>
      `services: { "default/web:80": "127.0.0.1:${backend?.port}" }\n${more}`
    const place = folder({ 'a.yaml': gatewayYaml('web', 80) })
    const gateway = await running([place.path])
    const url = 'http://any.example/'
    const answer = async (): Promise<string> => {
      const client = await gateway.connect(url)
      const { status, body } = await client.get('any.example')
      await client.close()
      return `${status} ${body}`
    }
    const becomes = async (look: (body: string) => boolean, what: string): Promise<void> => {
      const until = performance.now() + 4_000
      while (!look(await answer())) if (performance.now() > until) throw new Error(`Cannot go on: ${what} must come`)
    }
    const says = (text: string) =>
      gateway.change(({ findings }) => findings.find(({ message }) => message.includes(text)), `a finding that says ${text}`)

    place.write('gatewright.yaml', settings(first))
    await becomes((body) => body === '200 first', 'the first backend')
    place.replace('gatewright.yaml', settings(second))
    await becomes((body) => body === '200 second', 'the second backend')

    place.write('gatewright.yaml', 'services: { "default/web:80": nowhere }\n')
    expect(await says('the settings from before stay in use')).toMatchObject({ severity: 'error', at: { line: 1, column: 13 } })
    expect(await answer()).toBe('200 second')

    place.write('gatewright.yaml', settings(first, 'ports: { 80: 9 }\nbounds: { fields: 9 }\n'))
    expect(await says('ports and bounds of gatewright.yaml changed')).toMatchObject({ severity: 'warning' })
    await becomes((body) => body === '200 first', 'the first backend again')

    place.write('gatewright.yaml', 'echo: false\n')
    await becomes((body) => body.startsWith('500 '), 'no echo backend')
    place.remove('gatewright.yaml')
    await becomes((body) => body.includes('"service"'), 'the echo backend')
  })

  it('writes a line for each request when it is asked to', async () => {
    const gateway = await running(['examples/matching', '--access-log', 'json'])
    await echoed(gateway, `${shop}api/carts`)
    await eventually(() => gateway.stderr.endsWith('\n'), 'a line')
    expect(JSON.parse(gateway.stderr)).toMatchObject({
      method: 'GET',
      target: '/api/carts',
      status: 200,
      route: expect.stringContaining('shop/shop'),
    })
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 after %s, once the request under way has its answer', async (signal) => {
    const backend = await startBackend('late')
    onTestFinished(() => backend.stop())
    const gateway = await running(['examples/matching', '--service', `shop/storefront:80=127.0.0.1:${backend.port}`])
    backend.hold()
    const client = await gateway.connect(shop)
    const idle = await gateway.connect(shop)
    client.send('GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n')
    await backend.seen(1)
    gateway.signal(signal)
    await idle.closed
    const { address, port } = gateway.place(shop)
    await expect(RawClient.plain(port, address)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    backend.release()
    const answer = await client.answer()
    expect([answer.status, answer.body, answer.headers.get('connection')]).toEqual([200, 'late', 'close'])
    expect(await gateway.ended()).toBe(0)
    expect(gateway.stderr.replace(/^draining: .*\n/, '')).toBe('')
  })

  it('waits for a conversation when it is asked to end, and no longer when it is asked twice', async () => {
    const gateway = await running(['examples/websocket'])
    const url = 'ws://chat.example.com/rooms/blue'
    const socket = new WebSocketClient(await gateway.connect(url))
    await socket.upgrade(url)
    await socket.message()
    gateway.signal('SIGINT')
    await pause(100)
    socket.send('still here?')
    expect(await socket.message()).toBe('still here?')
    gateway.signal('SIGINT')
    expect(await gateway.ended()).toBe(130)
  })

  it('gives Gateways that want one port a loopback address each, and serves both', async () => {
    const place = folder({ 'a.yaml': gatewayYaml('one', 80), 'b.yaml': gatewayYaml('two', 80) })
    const port = await freePort()
    const gateway = await running([place.path, '--port', `80=${port}`])
    expect(gateway.ready.listeners.map((listener) => [listener.gateway, listener.address, listener.port])).toEqual([
      ['one', '127.0.0.1', port],
      ['two', '127.0.0.2', port],
    ])
    for (const [service, address] of [
      ['one', '127.0.0.1'],
      ['two', '127.0.0.2'],
    ]) {
      const client = await RawClient.plain(port, address)
      expect(JSON.parse((await client.get('any.example')).body)).toMatchObject({ service })
      await client.close()
    }
  })

  it('says which port is in use, serves the others, and opens it when it is free', async () => {
    const { port, leave } = await somebody()
    const place = folder({ 'a.yaml': gatewayYaml('blocked', port), 'b.yaml': gatewayYaml('free', 80) })
    const gateway = await running([place.path])
    expect(gateway.ready.listeners.map((listener) => listener.gateway)).toEqual(['free'])
    expect((await echoed(gateway, 'http://any.example/')).service).toBe('free')
    const { statuses } = (await (await fetch(`${gateway.ready.admin}/statuses`)).json()) as Pick<Change, 'statuses'>
    const { status } = statuses.find(({ name, kind }) => kind === 'Gateway' && name === 'blocked') ?? {}
    expect(status).toMatchObject({
      listeners: [
        {
          conditions: expect.arrayContaining([
            expect.objectContaining({ reason: 'PortUnavailable', message: expect.stringContaining(`127.0.0.1:${port}`) }),
          ]),
        },
      ],
    })
    leave()
    await gateway.change(({ listeners }) => listeners.find((listener) => listener.gateway === 'blocked'), 'the port that is free now')
    const client = await RawClient.plain(port)
    expect(JSON.parse((await client.get('any.example')).body)).toMatchObject({ service: 'blocked' })
    await client.close()
  })

  it('with --strict says what translate says and opens nothing for the canary', async () => {
    const gateway = await running(['examples/canary', '--strict'])
    expect(gateway.ready.listeners).toEqual([])
    const { stdout } = await runCommand(['translate', 'examples/canary', '-o', 'json'])
    const { statuses: said } = (await (await fetch(`${gateway.ready.admin}/statuses`)).json()) as { statuses: Record<string, unknown>[] }
    const translated = (JSON.parse(stdout) as { statuses: { kind: string; status: unknown }[] }).statuses
    expect(said.map(({ kind, status }) => ({ kind, status }))).toEqual(translated.map(({ kind, status }) => ({ kind, status })))
  })

  it('with --strict leaves a Gateway waiting whose class is in no file, and without it serves it and says so', async () => {
    const place = folder({ 'g.yaml': gatewayYaml('web', 80) })
    const [strict, kind] = await Promise.all([running([place.path, '--strict']), running([place.path])])
    expect(strict.ready.listeners).toEqual([])
    expect((await echoed(kind, 'http://any.example/')).service).toBe('web')
    const { kindnesses } = (await (await fetch(`${kind.ready.admin}/statuses`)).json()) as { kindnesses: string[] }
    expect(kindnesses.join()).toContain('GatewayClass any')
    const { stdout } = await runCommand(['check', place.path])
    expect(stdout).toContain('GatewayClass any')
  })

  const hasIpv6 = Object.values(networkInterfaces()).some((addresses = []) => addresses.some(({ address }) => address === '::1'))
  it.skipIf(!hasIpv6)('listens on ::1 when that is its address', async () => {
    const gateway = await running(['examples/matching', '--address', '::1'])
    expect(gateway.ready.listeners).toMatchObject([{ address: '::1' }])
    expect((await echoed(gateway, shop)).service).toBe('storefront')
  })

  it('on every address answers for nobody and lends no certificate, unless asked to', async () => {
    const place = folder({ 'a.yaml': gatewayYaml('web', 80) })
    const [plain, canary, kind] = await Promise.all([
      running([place.path, '--address', '0.0.0.0']),
      running(['examples/canary', '--address', '0.0.0.0']),
      running(['examples/canary', '--address', '0.0.0.0', '--echo', 'on', '--development-certificates', 'on']),
    ])
    const client = await RawClient.plain(plain.place('http://any.example/').port)
    expect((await client.get('any.example')).status).toBeOneOf([500, 503])
    await client.close()
    expect(canary.ready.listeners).toEqual([])
    expect(kind.ready.listeners).toMatchObject([{ address: '0.0.0.0' }])
    expect((await echoed(kind, 'https://myapp.example.com/')).service).toMatch(/^my-app-/)
  })
})
