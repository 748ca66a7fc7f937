/** A data plane for tests, and configurations written by hand for it. */
import { type AddressInfo, createServer } from 'node:net'
import { once } from 'node:events'
import type { GatewayConfig } from '../../src/config/config.ts'
import type { KeyMaterial } from '../../src/config/key-material.ts'
import type { CertificateConfig, ListenerConfig } from '../../src/config/listener.ts'
import type { Placement } from '../../src/config/placement.ts'
import type { PoolConfig } from '../../src/config/pool.ts'
import type { HttpRouteConfig } from '../../src/config/route.ts'
import type { StreamRouteConfig } from '../../src/config/stream-route.ts'
import { DataPlane, type DataPlaneOptions, type GatewayReport } from '../../src/proxy/data-plane.ts'
import { silentLogger } from '../../src/telemetry/logger.ts'
import type { TestCertificate } from './certificates.ts'

export const gatewayName = 'default/test'

/** Every port of the specification is opened where the system likes. */
export const anyPort: Placement = () => ({ address: '127.0.0.1', port: 0 })

export interface TestDataPlane {
  readonly dataPlane: DataPlane
  /** Applies the configuration of one Gateway. */
  serve(config: GatewayConfig, keys?: KeyMaterial, placement?: Placement): Promise<GatewayReport>
  /** Where a port of the specification listens now. */
  port(specified: number): number
  stop(): Promise<void>
}

export function startDataPlane(options: Partial<DataPlaneOptions> = {}): TestDataPlane {
  const dataPlane = new DataPlane({ logger: silentLogger, ...options })
  let last: GatewayReport | undefined
  return {
    dataPlane,
    async serve(config, keys = new Map(), placement = anyPort) {
      last = (await dataPlane.apply([config], keys, placement)).get(config.gateway)
      if (last === undefined) throw new Error(`the report does not name ${config.gateway}`)
      return last
    },
    port(specified) {
      const open = last?.ports.find(({ port }) => port === specified)
      if (open === undefined) throw new Error(`port ${specified} is not open: ${JSON.stringify(last)}`)
      return open.listenPort
    },
    stop: () => dataPlane.drain(100),
  }
}

export function httpListener(port: number, hostname = '', name = `http-${port}${hostname && `-${hostname}`}`): ListenerConfig {
  return { key: `Gateway/${gatewayName}/${name}`, name, port, protocol: 'HTTP', hostname }
}

export function httpsListener(
  port: number,
  hostname: string,
  certificates: readonly TestCertificate[],
  minVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.2',
): ListenerConfig {
  const name = `https-${port}-${hostname || 'any'}`
  const fingerprints = certificates.map(({ config }) => config.fingerprint)
  return {
    key: `Gateway/${gatewayName}/${name}`,
    name,
    port,
    protocol: 'HTTPS',
    hostname,
    tls: { kind: 'terminate', certificates: fingerprints, minVersion },
  }
}

export function pool(name: string, ...ports: number[]): PoolConfig {
  return {
    key: `Service/default/${name}:80`,
    backend: { kind: 'Service', namespace: 'default', name, port: 80 },
    protocol: 'http',
    endpoints: ports.map((port) => ({ address: '127.0.0.1', port, state: 'ready' })),
  }
}

/** Every request of these listeners goes to the pool; `hostname` is the route's own. */
export function routeTo(target: PoolConfig, listeners: readonly ListenerConfig[], hostname = ''): HttpRouteConfig {
  const key = `HTTPRoute/default/${target.backend.name}`
  return {
    kind: 'http',
    key,
    attachments: listeners.map((listener) => ({ listener: listener.key, hostnames: [hostname] })),
    rules: [
      {
        key: `${key}/0`,
        index: 0,
        matches: [{ path: { kind: 'prefix', value: '/' }, headers: [], query: [] }],
        filters: [],
        backends: [{ kind: 'pool', pool: target.key, weight: 1, filters: [] }],
        timeouts: {},
      },
    ],
  }
}

export function gatewayConfig(parts: {
  readonly gateway?: string
  readonly listeners: readonly ListenerConfig[]
  readonly routes?: readonly HttpRouteConfig[]
  readonly streams?: readonly StreamRouteConfig[]
  readonly pools?: readonly PoolConfig[]
  readonly certificates?: readonly CertificateConfig[]
}): GatewayConfig {
  return { gateway: gatewayName, routes: [], streams: [], pools: [], certificates: [], ...parts }
}

/** A port of 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
