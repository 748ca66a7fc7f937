/** Routes one after another: from the API server's answer to the first 200 through the proxy, beside what a bare watch needs to see the object. */
import { setTimeout as delay } from 'node:timers/promises'
import type { KubeObject } from '../objects.ts'
import { backend, gateway, httpListener, openGateways, programmed } from '../tests/gateways.ts'
import { eventually } from '../tests/scene.ts'
import { type Figure, mean, quantile } from './figures.ts'
import { Asker, createRoute, hostOf, routesPath } from './routes.ts'

const askedAgain = 20
/** Milliseconds from a 404 to the next request. Without a pause the asking takes a core, and what is measured waits for it. */
const between = 1

export async function oneByOne(count: number): Promise<readonly Figure[]> {
  const scene = await openGateways()
  await backend(scene, 'web')
  await scene.apply(gateway('web', [httpListener]))
  const asker = new Asker(await programmed(scene, 'web'))
  await eventually(async () => (await asker.status('nobody.example.com')) === 404, 'a 404')
  const seen = new Map<string, number>()
  const abort = new AbortController()
  const watched = scene.api
    .watch<KubeObject>(`${routesPath(scene.namespace)}?watch=1`, abort.signal, ({ type, object }) => {
      if (type === 'ADDED') seen.set(object.metadata.name, performance.now())
    })
    .catch(() => {})
  const above: number[] = []
  const whole: number[] = []
  let errors = 0
  for (let i = 0; i < count; i += 1) {
    const name = `route-${i}`
    await createRoute(scene, name, 'web')
    const answered = performance.now()
    let status = await asker.status(hostOf(name))
    while (status !== 200) {
      if (status !== 404) errors += 1
      if (performance.now() - answered > 10_000) throw new Error(`Cannot go on: ${name} must answer within 10 s, got ${status}`)
      await delay(between)
      status = await asker.status(hostOf(name))
    }
    const served = performance.now()
    whole.push(served - answered)
    above.push(served - Math.max(answered, seen.get(name) ?? answered))
    for (let again = 0; again < askedAgain; again += 1) if ((await asker.status(hostOf(name))) !== 200) errors += 1
  }
  abort.abort()
  await watched
  asker.close()
  await scene.remove()
  const part = Math.max(1, Math.floor(count / 10))
  return [
    { name: `${count} routes one by one: from the answer to the first 200, mean`, value: mean(whole), unit: 'ms' },
    { name: 'above a bare watch: mean', value: mean(above), unit: 'ms', most: 20 },
    { name: 'above a bare watch: 99 of 100 within', value: quantile(above, 0.99), unit: 'ms' },
    { name: 'above a bare watch: at most', value: Math.max(...above), unit: 'ms', most: 75 },
    {
      name: 'from the answer to the first 200: mean of the last tenth by that of the first',
      value: mean(whole.slice(-part)) / mean(whole.slice(0, part)),
      unit: 'x',
      most: 1.5,
    },
    { name: 'answers other than 404 before and 200 after', value: errors, unit: '', most: 0 },
  ]
}
