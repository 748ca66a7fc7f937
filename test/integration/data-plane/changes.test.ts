import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GatewayConfig } from '../../../src/config/config.ts'
import type { ListenerConfig } from '../../../src/config/listener.ts'
import type { HttpRouteConfig } from '../../../src/config/route.ts'
import { InProcessDelivery } from '../../../src/delivery/in-process.ts'
import { allOrNone } from '../../harness/all-or-none.ts'
import { createTestAuthority, keysOf, type TestCertificate } from '../../harness/certificates.ts'
import {
  freePort,
  gatewayConfig,
  gatewayName,
  httpListener,
  httpsListener,
  pool,
  routeTo,
  startDataPlane,
} from '../../harness/data-plane.ts'
import { descriptorShare } from '../../harness/descriptors.ts'
import { RawClient } from '../../harness/raw-client.ts'

const changes = 300
const clearClients = 48
const tlsClients = 16
const webSockets = 100
/** File descriptors that all of them take together. */
const descriptors = 800
const host = 'shop.example.com'

/** What a test changes; the rule for `/stable` and the one for `/ws` are in every configuration made of it. */
interface State {
  extraRoutes: number
  turned: boolean
  header: string
  stableEndpoints: number
  extraPool: boolean
  weight: number
  certificate: TestCertificate
  extraPort: boolean
  extraHostname: boolean
  ruleFirst: boolean
}

describe('changes of the configuration under load', () => {
  const authority = createTestAuthority()
  const backends: Server[] = []
  let ports: number[]

  beforeAll(async () => {
    for (let i = 0; i < 3; i++) backends.push(await echo())
    ports = backends.map((server) => (server.address() as AddressInfo).port)
  })
  afterAll(async () => {
    for (const server of backends) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })

  function configOf(state: State): GatewayConfig {
    const clear = httpListener(80)
    const secure = httpsListener(443, host, [state.certificate])
    const listeners: ListenerConfig[] = [clear, secure]
    if (state.extraPort) listeners.push(httpListener(81))
    if (state.extraHostname) listeners.push(httpListener(80, 'other.example.com'), httpsListener(443, '*.example.com', [state.certificate]))
    const stable = pool('stable', ...ports.slice(0, state.stableEndpoints))
    const pools = [stable, ...(state.extraPool ? [pool('extra', ports[2] ?? 0)] : [])]
    const main = routeTo(stable, [clear, secure], host)
    const [rule] = main.rules
    if (rule === undefined) throw new Error('the route has no rule')
    const stableRule = {
      ...rule,
      matches: [{ ...rule.matches[0], path: { kind: 'prefix', value: '/stable' }, headers: [], query: [] } as const],
    }
    const webSocketRule = {
      ...stableRule,
      key: `${main.key}/ws`,
      index: 1,
      matches: [{ ...stableRule.matches[0], path: { kind: 'prefix', value: '/ws' }, headers: [], query: [] } as const],
    }
    const filtered = {
      ...stableRule,
      filters: [{ kind: 'responseHeaders' as const, set: [{ name: 'X-Change', value: state.header }], add: [], remove: [] }],
      backends: [{ kind: 'pool' as const, pool: stable.key, weight: state.weight, filters: [] }],
    }
    const routes: HttpRouteConfig[] = [{ ...main, rules: state.ruleFirst ? [filtered, webSocketRule] : [webSocketRule, filtered] }]
    for (let i = 0; i < state.extraRoutes; i++) {
      const key = `HTTPRoute/default/extra-${i}`
      const path = { kind: 'prefix', value: `/extra-${i}` } as const
      routes.push({
        ...main,
        key,
        rules: [
          {
            ...stableRule,
            key: `${key}/0`,
            matches: [{ path, headers: [], query: [] }],
            backends: state.extraPool ? [{ kind: 'pool', pool: 'Service/default/extra:80', weight: 1, filters: [] }] : [],
          },
        ],
      })
    }
    return gatewayConfig({
      listeners,
      pools,
      routes: state.turned ? routes.toReversed() : routes,
      certificates: [state.certificate.config],
    })
  }

  it('lose no request, mix up no answer and break no open tunnel', { timeout: 60_000 }, async () => {
    const kinds: ((state: State, number: number) => void)[] = [
      (state) => (state.extraRoutes = (state.extraRoutes + 1) % 5),
      (state) => (state.turned = !state.turned),
      (state, number) => (state.header = `change ${number}`),
      (state) => (state.stableEndpoints = state.stableEndpoints === 1 ? 2 : 1),
      (state) => (state.extraPool = !state.extraPool),
      (state) => (state.weight = (state.weight % 9) + 1),
      (state) => (state.certificate = authority.issue(host, '*.example.com')),
      (state) => (state.extraPort = !state.extraPort),
      (state) => (state.extraHostname = !state.extraHostname),
      (state) => (state.ruleFirst = !state.ruleFirst),
    ]
    const state: State = {
      extraRoutes: 1,
      turned: false,
      header: 'first',
      stableEndpoints: 2,
      extraPool: false,
      weight: 1,
      certificate: authority.issue(host, '*.example.com'),
      extraPort: false,
      extraHostname: false,
      ruleFirst: true,
    }
    const plane = startDataPlane({ bounds: { drainTime: 500 } })
    const delivery = new InProcessDelivery(plane.dataPlane)
    const placed = new Map([
      [80, await freePort()],
      [81, await freePort()],
      [443, await freePort()],
    ])
    let version = 0
    const deliver = async (): Promise<void> => {
      version += 1
      const versions = new Map([[gatewayName, String(version)]])
      const placement = (_gateway: string, port: number) => ({ address: '127.0.0.1', port: placed.get(port) ?? 0 })
      const served = await delivery.deliver([configOf(state)], versions, keysOf(state.certificate), placement)
      expect(served.get(gatewayName)).toMatchObject({ version: String(version), failedPorts: [], failedListeners: [] })
    }
    await deliver()

    const share = descriptorShare(descriptors)
    const [clear, secure, sockets] = [clearClients, tlsClients, webSockets].map((whole) => Math.ceil(whole * share)) as [
      number,
      number,
      number,
    ]
    const tunnels = await allOrNone(Array.from({ length: sockets }, () => openTunnel(placed.get(80) ?? 0)))
    const load = new AbortController()
    let answers = 0
    const ask = async (number: number): Promise<void> => {
      const client =
        number < clear
          ? await RawClient.plain(placed.get(80) ?? 0)
          : await RawClient.tls(placed.get(443) ?? 0, { ca: authority.certificate, servername: host })
      try {
        for (let i = 0; !load.signal.aborted; i++) {
          const path = `/stable/${number}/${i}`
          const answer = await client.get(host, path)
          if (answer.status !== 200 || answer.body !== path) throw new Error(`${path}: ${answer.status} ${answer.body}`)
          answers += 1
          await delay(10)
        }
      } finally {
        await client.close()
      }
    }
    const loads = Array.from({ length: clear + secure }, (_, number) => ask(number))
    const failed = Promise.all(loads)

    const change = async (): Promise<void> => {
      for (let i = 0; i < changes; i++) {
        kinds[i % kinds.length]?.(state, i)
        await deliver()
        const tunnel = tunnels[i % tunnels.length]
        tunnel?.send(`ping ${i};`)
        await delay(15)
      }
    }
    try {
      await Promise.race([change(), failed])
      load.abort()
      await failed
      expect(answers).toBeGreaterThan(clear + secure)
      for (const [number, tunnel] of tunnels.entries()) {
        const expected = Array.from({ length: changes }, (_, i) => (i % tunnels.length === number ? `ping ${i};` : '')).join('')
        await expect.poll(() => tunnel.received, { interval: 5 }).toBe(expected)
      }
    } finally {
      load.abort()
      await Promise.allSettled(loads)
      for (const tunnel of tunnels) await tunnel.close()
      await plane.stop()
    }
  })
})

/** Answers with the path it was asked for; switched connections are echoed. */
async function echo(): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume()
    response.setHeader('content-length', request.url?.length ?? 0).end(request.url)
  })
  server.on('upgrade', (_request, socket: Socket) => {
    socket.on('error', () => {})
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function openTunnel(port: number): Promise<RawClient> {
  const client = await RawClient.plain(port)
  client.send(
    `GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  )
  const head = await client.head()
  if (head.status !== 101) throw new Error(`the tunnel got ${head.status}`)
  return client
}
