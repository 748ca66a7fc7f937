/** A route that changes every 200 ms under traffic from 64 connections. */
import { setTimeout as delay } from 'node:timers/promises'
import { accepted, backend, gateway, httpListener, httpRoute, openGateways, programmed } from '../tests/gateways.ts'
import { eventually } from '../tests/scene.ts'
import type { Figure } from './figures.ts'
import { Asker, routesPath } from './routes.ts'

const connections = 64
const period = 200

export async function toggle(seconds: number): Promise<readonly Figure[]> {
  const scene = await openGateways()
  const backends = [await backend(scene, 'one'), await backend(scene, 'two')]
  await scene.apply(gateway('web', [httpListener]), httpRoute('web', 'web', 'web.example.com', backends))
  const address = await programmed(scene, 'web')
  await accepted(scene, 'web')
  const askers = Array.from({ length: connections }, () => new Asker(address))
  await eventually(async () => (await askers[0]?.status('web.example.com')) === 200, 'a 200')
  let requests = 0
  let errors = 0
  const stop = new AbortController()
  const running = askers.map(async (asker) => {
    while (!stop.signal.aborted) {
      requests += 1
      if ((await asker.status('web.example.com')) !== 200) errors += 1
    }
  })
  const changes = Math.floor((seconds * 1000) / period)
  for (let i = 0; i < changes; i += 1) {
    const rules = [{ backendRefs: i % 2 === 0 ? backends.slice(0, 1) : backends.slice(1) }]
    await scene.api.patch(`${routesPath(scene.namespace)}/web`, { spec: { rules } }, 'application/merge-patch+json')
    await delay(period)
  }
  stop.abort()
  await Promise.all(running)
  for (const asker of askers) asker.close()
  await scene.remove()
  return [
    { name: `a route changed ${changes} times under traffic: requests`, value: requests, unit: '' },
    { name: 'requests that failed', value: errors, unit: '', most: 0 },
  ]
}
