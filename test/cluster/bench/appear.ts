/** Many routes at once: how long until the Gateway's status counts them all, and how often it was written on the way. */
import type { GatewayObject } from '../tests/gateways.ts'
import { backend, gateway, GATEWAY_API, httpListener, openGateways, programmed } from '../tests/gateways.ts'
import { eventually } from '../tests/scene.ts'
import type { Figure } from './figures.ts'
import { createRoute, eachOf } from './routes.ts'

export async function appear(count: number): Promise<readonly Figure[]> {
  const scene = await openGateways()
  await backend(scene, 'web')
  await scene.apply(gateway('web', [httpListener]))
  await programmed(scene, 'web')
  let writes = -1
  let counted = Number.POSITIVE_INFINITY
  const abort = new AbortController()
  const path = `/apis/${GATEWAY_API}/namespaces/${scene.namespace}/gateways?watch=1`
  // The first event is the object as it is.
  const watched = scene.api
    .watch<GatewayObject>(path, abort.signal, ({ object }) => {
      writes += 1
      if (object.status?.listeners?.[0]?.attachedRoutes === count) counted = Math.min(counted, performance.now())
    })
    .catch(() => {})
  await eventually(() => Promise.resolve(writes >= 0), 'the watch')
  const began = performance.now()
  await eachOf(
    Array.from({ length: count }, (_, i) => `route-${i}`),
    64,
    (name) => createRoute(scene, name, 'web'),
  )
  const created = performance.now()
  await eventually(() => Promise.resolve(counted < Number.POSITIVE_INFINITY), `${count} attached routes`, 60_000)
  // What is still to be written comes, too.
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  abort.abort()
  await watched
  await scene.remove()
  return [
    { name: `${count} routes at once: created within`, value: (created - began) / 1000, unit: 's' },
    { name: 'attachedRoutes complete after the last was created', value: Math.max(0, counted - created) / 1000, unit: 's', most: 2 },
    { name: "writes of the Gateway's status", value: writes, unit: '', most: 50 },
  ]
}
