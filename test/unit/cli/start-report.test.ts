import { expect, it } from 'vitest'
import { startReport } from '../../../src/cli/run-report.ts'
import type { View } from '../../../src/cli/serving.ts'
import { statusOf } from '../../../src/cli/status-of.ts'
import { styleFor } from '../../../src/cli/style.ts'
import { SnapshotBuilder } from '../../../src/cluster/snapshot-builder.ts'
import type { HttpRouteConfig, HttpRuleConfig } from '../../../src/config/route.ts'
import type { StatusOf, Translation } from '../../../src/translate/translation.ts'
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
  const translation = (list: readonly StatusOf[]): Translation => ({
    statuses: list,
    configs: [config],
    versions: new Map(),
    keys: new Map(),
    infra: [],
    endpointServices: [],
    findings: [],
    wants: [],
  })
  const place = {
    version: '1',
    ports: [{ port: 80, transport: 'TCP' as const, address: '127.0.0.1', listenPort: 8080 }],
    failedPorts: [],
    failedListeners: [],
  }
  const view: View = {
    read: { objects: [], findings: [], foreign: [], certificates: [], files: [], locate: () => undefined },
    objects: new SnapshotBuilder().snapshot(),
    cluster: translation(counted),
    here: translation(statuses),
    overlaid: new SnapshotBuilder().snapshot(),
    routes: [],
    kindnesses: [],
    findings: [],
    served: new Map([[gatewayName, place]]),
  }
  const text = startReport(
    view,
    { caCertificate: undefined, admin: 'http://127.0.0.1:1', platform: 'linux' },
    styleFor(process.stdout, { NO_COLOR: '1' }),
  )
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
