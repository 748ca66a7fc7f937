import { expect, it } from 'vitest'
import { startReport } from '../../../src/cli/run-report.ts'
import type { View } from '../../../src/cli/serving.ts'
import { statusOf } from '../../../src/cli/status-of.ts'
import { styleFor } from '../../../src/cli/style.ts'
import { SnapshotBuilder } from '../../../src/cluster/snapshot-builder.ts'
import type { GatewayConfig } from '../../../src/config/config.ts'
import type { ListenerConfig } from '../../../src/config/listener.ts'
import type { HttpRouteConfig, HttpRuleConfig } from '../../../src/config/route.ts'
import type { StatusOf, Translation } from '../../../src/translate/translation.ts'
import { parsed } from '../api/manifest.ts'
import { gatewayConfig, gatewayName, httpListener } from '../../harness/data-plane.ts'

const many = 5_000
const shown = 60

/** Its rules say when somebody looks at them, which only a line that is made does. */
function route(number: number, looked: () => void): HttpRouteConfig {
  const attachments = [{ listener: httpListener(80).key, hostnames: [`app-${number}.example.com`] }]
  return {
    kind: 'http',
    key: `HTTPRoute/default/r${number}`,
    attachments,
    get rules(): readonly HttpRuleConfig[] {
      looked()
      return []
    },
  }
}

function status(number: number): StatusOf {
  const parents = [
    { parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'gateway' }, controllerName: 'a/b', conditions: [] },
  ]
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    namespace: 'default',
    name: `r${String(number).padStart(4, '0')}`,
    status: { parents },
  }
}

function translation(statuses: readonly StatusOf[], config?: GatewayConfig): Translation {
  const configs = config === undefined ? [] : [config]
  return { statuses, configs, versions: new Map(), keys: new Map(), infra: [], endpointServices: [], findings: [], wants: [] }
}

function reportOf(parts: Pick<View, 'cluster' | 'here'> & Partial<View>): string {
  const place = {
    version: '1',
    ports: [{ port: 80, transport: 'TCP' as const, address: '127.0.0.1', listenPort: 8080 }],
    failedPorts: [],
    failedListeners: [],
  }
  const view: View = {
    read: { objects: [], findings: [], foreign: [], certificates: [], files: [], locate: () => undefined },
    objects: new SnapshotBuilder().snapshot(),
    overlaid: new SnapshotBuilder().snapshot(),
    routes: [],
    kindnesses: [],
    findings: [],
    served: new Map([[gatewayName, place]]),
    ...parts,
  }
  return startReport(
    view,
    { caCertificate: undefined, acceptProxyProtocol: [], admin: 'http://127.0.0.1:1', platform: 'linux' },
    styleFor(process.stdout, { NO_COLOR: '1' }),
  )
}

it('makes the curl lines and looks up the statuses that it shows, and counts the others', () => {
  let lines = 0
  let looks = 0
  const routes = Array.from({ length: many }, (_, number) => route(number, () => (lines += 1)))
  const statuses = Array.from({ length: many }, (_, number) => status(number))
  const counted = statuses.map((one): StatusOf => ({
    ...one,
    get name() {
      looks += 1
      return one.name
    },
  }))
  const config = { ...gatewayConfig({ listeners: [httpListener(80)], pools: [], routes: [] }), routes }
  const text = reportOf({ cluster: translation(counted), here: translation(statuses, config) })
  expect(text.match(/curl /g)).toHaveLength(shown)
  expect(text).toContain(`... and ${many - shown} more hostnames`)
  expect(text).toContain(`... and ${many - shown} more routes`)
  expect(lines).toBe(shown)
  // A walk along the list for each would be thousands for each.
  expect(looks).toBeLessThan(shown * 40)
})

it('finds each status of a sorted list, and none that is not there', () => {
  const statuses = Array.from({ length: 20 }, (_, number) => status(number))
  for (const one of statuses) expect(statusOf(statuses, one)).toBe(one)
  expect(statusOf(statuses, { kind: 'HTTPRoute', namespace: 'default', name: 'r0020' })).toBeUndefined()
  expect(statusOf(statuses, { kind: 'Gateway', namespace: 'default', name: 'r0001' })).toBeUndefined()
  expect(statusOf([], { kind: 'Gateway', namespace: 'default', name: 'r' })).toBeUndefined()
})

it('looks the configuration of a Gateway up once, however many ListenerSets it has', () => {
  const sets = 50
  const base = { apiVersion: 'gateway.networking.k8s.io/v1', namespace: 'default' }
  const listener = { name: 'own', attachedRoutes: 0, supportedKinds: [], conditions: [] }
  const objects = new SnapshotBuilder()
  const statuses: StatusOf[] = [
    { ...base, kind: 'Gateway', name: 'test', status: { addresses: [], conditions: [], listeners: [], attachedListenerSets: sets } },
  ]
  const listeners = Array.from({ length: sets }, (_, number): ListenerConfig => {
    const name = `s${number}`
    const set = parsed('ListenerSet', {
      apiVersion: base.apiVersion,
      kind: 'ListenerSet',
      metadata: { name, namespace: 'default' },
      spec: { parentRef: { name: 'test' }, listeners: [{ name: 'own', port: 80, protocol: 'HTTP', hostname: `${name}.example.com` }] },
    })
    objects.set(set)
    statuses.push({ ...base, kind: 'ListenerSet', name, status: { conditions: [], listeners: [listener] } })
    return { ...httpListener(80, `${name}.example.com`, 'own'), key: `ListenerSet/default/${name}/own` }
  })
  let looks = 0
  const config: GatewayConfig = {
    ...gatewayConfig({ listeners }),
    get listeners() {
      looks += 1
      return listeners
    },
  }
  const text = reportOf({ cluster: translation([]), here: translation(statuses, config), objects: objects.snapshot() })
  expect(text.match(/own +HTTP 80 +-> 127.0.0.1:8080 +s\d+.example.com, 0 routes/g)).toHaveLength(sets)
  // The curl lines look as well.
  expect(looks).toBeLessThan(5)
})
