/** Ten tests of the official suite, unmodified, against the controller of deploy/: `npm run conformance` runs all of them. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkout } from '../checkout.ts'
import { here } from '../cluster.ts'
import { installGatewright } from '../conformance/install.ts'
import { runSuite } from '../conformance/suite-run.ts'

const tests = [
  'HTTPRouteSimpleSameNamespace',
  'HTTPRouteWeight',
  'HTTPRouteMatching',
  'HTTPRouteReferenceGrant',
  'HTTPRouteHTTPSListener',
  'HTTPRouteRequestMirror',
  'GatewayModifyListeners',
  'GatewayWithAttachedRoutes',
  'GRPCRouteWeight',
  'GatewayStaticAddresses',
]

it('passes them', async () => {
  const cluster = await here()
  await installGatewright(cluster)
  const files = { log: join(checkout, 'build/conformance-tests.log'), report: join(checkout, 'build/conformance-tests.yaml') }
  mkdirSync(join(checkout, 'build'), { recursive: true })
  const selected = `-test.run=^TestConformance$/^(${tests.join('|')})$`
  const { status, tests: ends } = await runSuite(cluster, [selected, '-cleanup-base-resources=true'], files, () => {})
  const passed = ends.filter(({ result }) => result === 'PASS').map(({ name }) => name)
  expect(passed.sort(), readFileSync(files.log, 'utf8').slice(-4_000)).toEqual([...tests].sort())
  expect(status).toBe(0)
  // Other tests begin without them.
  const namespaces = ['infra', 'app-backend', 'web-backend'].map((name) => `namespace/gateway-conformance-${name}`)
  await cluster.kubectl(['wait', ...namespaces, '--for=delete', '--timeout=120s'])
}, 900_000)
