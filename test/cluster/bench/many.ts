/** Thousands of routes over many namespaces while some change: memory of controllers and proxy, and processor time when nothing changes. */
import { setTimeout as delay } from 'node:timers/promises'
import { controllerProcesses, processorTime, proxyProcesses, residentMemory } from '../processes.ts'
import { gateway, httpListener, httpRoute, openGateways, programmed } from '../tests/gateways.ts'
import { eventually } from '../tests/scene.ts'
import type { Figure } from './figures.ts'
import { Asker, eachOf, routesPath } from './routes.ts'

export interface ManyOptions {
  readonly namespaces: number
  readonly routes: number
  readonly seconds: number
}

export async function many({ namespaces, routes, seconds }: ManyOptions): Promise<readonly Figure[]> {
  const scene = await openGateways()
  const { api, namespace: own } = scene
  await scene.apply(gateway('web', [{ ...httpListener, allowedRoutes: { namespaces: { from: 'All' } } }]))
  const address = await programmed(scene, 'web')
  const names = Array.from({ length: namespaces }, (_, i) => `${own}-${i}`)
  const each = Math.ceil(routes / namespaces)
  await eachOf(names, 8, async (name) => {
    await api.post('/api/v1/namespaces', { metadata: { name } })
    await api.post(`/api/v1/namespaces/${name}/services`, { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } })
    await api.post(`/apis/discovery.k8s.io/v1/namespaces/${name}/endpointslices`, slice(1))
  })
  const all = names.flatMap((name) => Array.from({ length: each }, (_, i) => ({ namespace: name, name: `r${i}` })))
  const hostnameOf = (route: { readonly namespace: string; readonly name: string }): string =>
    `${route.name}.${route.namespace}.example.com`
  await eachOf(all, 64, (route) =>
    api.post(routesPath(route.namespace), httpRoute(route.name, 'web', hostnameOf(route), [{ name: 'web', port: 80 }], { namespace: own })),
  )
  const asker = new Asker(address)
  const last = all.at(-1)
  // Nothing answers at the endpoints: a 502, 503 or 504 says that the route is there.
  const isServed = async (): Promise<boolean> => last !== undefined && (await asker.status(hostnameOf(last))) >= 500
  await eventually(isServed, 'the last route', 120_000)
  for (let second = 0; second < seconds; second += 1) {
    const name = names[second % names.length] ?? own
    const rules = [{ backendRefs: [{ name: 'web', port: 80, weight: 1 + (second % 5) }] }]
    await api.patch(`${routesPath(name)}/r0`, { spec: { rules } }, 'application/merge-patch+json')
    await api.patch(
      `/apis/discovery.k8s.io/v1/namespaces/${name}/endpointslices/web`,
      { endpoints: slice(second + 2).endpoints },
      'application/merge-patch+json',
    )
    await delay(1_000)
  }
  const controllers = controllerProcesses()
  const proxies = proxyProcesses(`${own}/web`)
  const memory = { controller: Math.max(...controllers.map(residentMemory)), proxy: Math.max(...proxies.map(residentMemory)) }
  await delay(5_000)
  const idle = await idleShares([...controllers, ...proxies], 20_000)
  asker.close()
  await eachOf(names, 8, (name) => api.delete(`/api/v1/namespaces/${name}`))
  await scene.remove()
  return [
    {
      name: `${all.length} routes in ${namespaces} namespaces, changes each second: a controller's memory`,
      value: memory.controller,
      unit: 'MB',
      most: 500,
    },
    { name: "the proxy's memory", value: memory.proxy, unit: 'MB', most: 200 },
    {
      name: "a controller's processor time when nothing changes",
      value: 100 * Math.max(...idle.slice(0, controllers.length)),
      unit: '%',
      most: 1,
    },
    {
      name: "the proxy's processor time when nothing changes",
      value: 100 * Math.max(...idle.slice(controllers.length)),
      unit: '%',
      most: 1,
    },
  ]
}

function slice(number: number) {
  return {
    metadata: { name: 'web', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [`10.244.250.${number % 250}`], conditions: { ready: true } }],
    ports: [{ port: 1, protocol: 'TCP' }],
  }
}

/** Processor time by wall time. */
async function idleShares(ids: readonly number[], milliseconds: number): Promise<readonly number[]> {
  const before = ids.map(processorTime)
  await delay(milliseconds)
  return ids.map((id, i) => ((processorTime(id) - (before[i] ?? 0)) * 1000) / milliseconds)
}
