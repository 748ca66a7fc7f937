/**
 * The harness of the integration tests: backends, gateways and clients on real sockets, closed in one place after each
 * case, and a look at the process after each file: nothing that was opened may be left.
 */
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { Backend, type OnBytes, type Respond } from './scripted-backend.ts'
import { Client } from './client.ts'
import { Http2Backend, type RespondTo } from './http2-backend.ts'
import { Http2Client } from './http2-client.ts'
import { eventually } from './eventually.ts'
import { Gateway, type GatewayOptions } from './gateway.ts'
import type { ConfigSketch } from './gateway-config.ts'
import { RawHttp2Backend } from './raw-http2-backend.ts'

export interface Harness {
  backend(respond?: Respond, onBytes?: OnBytes): Promise<Backend>
  /** One that speaks HTTP/2 by prior knowledge. */
  http2Backend(respond?: RespondTo, options?: object): Promise<Http2Backend>
  /** One that says what a test lets it say, frame by frame. */
  rawHttp2Backend(respond: Parameters<typeof RawHttp2Backend.listen>[0]): Promise<RawHttp2Backend>
  gateway(sketch: ConfigSketch, options?: GatewayOptions): Promise<Gateway>
  client(gateway: Gateway): Promise<Client>
  /** In clear text by prior knowledge, on TLS by ALPN. */
  http2(gateway: Gateway, options?: object): Promise<Http2Client>
  /** The usual scene: one backend, one rule for everything, one client. */
  scene(respond?: Respond, options?: GatewayOptions, onBytes?: OnBytes): Promise<{ web: Backend; gate: Gateway; client: Client }>
}

/** Call it once, at the top of a test file. */
export function harness(): Harness {
  const opened: { close(): Promise<void> | void }[] = []
  let before = 0
  const keep = async <T extends { close(): Promise<void> | void }>(made: Promise<T>): Promise<T> => {
    const one = await made
    opened.push(one)
    return one
  }
  beforeAll(() => {
    before = openResources()
  })
  // Clients first, so that nothing waits for them.
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close()
  })
  afterAll(async () => {
    await eventually(() => openResources() <= before, 'the end of every socket and timer').catch(() => undefined)
    expect(openResources(), `left open: ${process.getActiveResourcesInfo().join(' ')}`).toBeLessThanOrEqual(before)
  })
  const one: Harness = {
    backend: (respond, onBytes) => keep(Backend.listen(respond, onBytes)),
    http2Backend: (respond, options) => keep(Http2Backend.listen(respond, options)),
    rawHttp2Backend: (respond) => keep(RawHttp2Backend.listen(respond)),
    gateway: (sketch, options) => keep(Gateway.start(sketch, options)),
    client: (gateway) => keep(Client.connect(gateway.port, gateway.scheme)),
    http2: (gateway, options) => keep(Http2Client.connect(gateway.port, gateway.scheme, options)),
    async scene(respond, options, onBytes) {
      const web = await one.backend(respond, onBytes)
      const gate = await one.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] }, options)
      return { web, gate, client: await one.client(gate) }
    },
  }
  return one
}

function openResources(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP') || kind === 'Timeout').length
}
