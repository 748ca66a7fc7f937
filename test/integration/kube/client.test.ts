/** Single objects: what goes over the wire, what comes back as which error, and what is tried again. */
import { describe, expect, it } from 'vitest'
import { KubeError } from '../../../src/kube/kube-error.ts'
import type { KubeClient } from '../../../src/kube/client.ts'
import { clientOf, plainCredentials, scriptedApi, serviceObject } from '../../harness/kube.ts'

const web = { namespace: 'shop', name: 'web' }

async function world(more: { readonly retries?: boolean } = {}) {
  const api = await scriptedApi()
  const waits: number[] = []
  const options = {
    ...more,
    random: () => 0.5,
    delay: (milliseconds: number) => {
      waits.push(milliseconds)
      return Promise.resolve()
    },
  }
  return { api, client: clientOf(api, options), waits, services: api.resource('Service') }
}

async function errorOf(promise: Promise<unknown>): Promise<KubeError> {
  const error = await promise.then(() => undefined).catch((reason: unknown) => reason)
  if (!(error instanceof KubeError)) throw new Error('Cannot go on: it must fail with a KubeError', { cause: error })
  return error
}

describe('single objects', () => {
  it('are read, created, replaced, patched, applied and deleted', async () => {
    const { api, client, services } = await world()
    expect(await client.get(services, web)).toBeUndefined()
    const made = await client.create(services, serviceObject('web'))
    expect(await client.get(services, web)).toEqual(made)
    const replaced = await client.replace(services, { ...made, spec: { ports: [{ port: 81 }] } })
    expect(replaced.metadata.generation).toBe(2)
    await client.patch(services, web, { metadata: { annotations: { a: 'b' } } })
    await client.patch(services, web, { status: { loadBalancer: {} } }, 'status')
    await client.apply(services, { apiVersion: 'v1', kind: 'Service', metadata: { ...web, labels: { app: 'web' } } })
    expect(api.get('Service', 'shop', 'web')).toMatchObject({
      metadata: { annotations: { a: 'b' }, labels: { app: 'web' } },
      spec: { ports: [{ port: 81 }] },
      status: { loadBalancer: {} },
    })
    expect(Object.fromEntries(api.asked({ verb: 'apply' })[0]?.query ?? [])).toEqual({ fieldManager: 'gatewright', force: 'true' })
    await client.apply(services, { apiVersion: 'v1', kind: 'Service', metadata: web }, 'other')
    expect(Object.fromEntries(api.asked({ verb: 'apply' })[1]?.query ?? [])).toEqual({ fieldManager: 'other' })
    await client.delete(services, web)
    await client.delete(services, web)
    expect(api.get('Service', 'shop', 'web')).toBeUndefined()
  })

  it('of cluster scope have no namespace in their path', async () => {
    const { api, client } = await world()
    await client.create(api.resource('Namespace'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
    expect(await client.get(api.resource('Namespace'), { namespace: '', name: 'shop' })).toBeDefined()
    expect(api.requests.map(({ path }) => path)).toEqual(['/api/v1/namespaces', '/api/v1/namespaces/shop'])
  })

  it('that changed meanwhile are a conflict, which is not tried again', async () => {
    const { api, client, services, waits } = await world()
    const stale = await client.create(services, serviceObject('web'))
    api.edit('Service', 'shop', 'web', { spec: { ports: [{ port: 82 }] } })
    const error = await errorOf(client.replace(services, { ...stale, spec: {} }))
    expect(error).toMatchObject({ status: 409, reason: 'Conflict' })
    expect(error.message).toMatch(/^Cannot replace Service shop\/web: the API server answered 409 Conflict: /)
    const { resourceVersion } = stale.metadata
    expect(await errorOf(client.patch(services, web, { metadata: { resourceVersion }, spec: {} }))).toMatchObject({ status: 409 })
    expect(await errorOf(client.delete(services, web, { resourceVersion: resourceVersion ?? '' }))).toMatchObject({ status: 409 })
    expect(await errorOf(client.delete(services, web, { uid: 'another' }))).toMatchObject({ status: 409 })
    expect(waits).toEqual([])
  })

  it('are asked for with the credentials and under the name of the program', async () => {
    const { api, services } = await world()
    api.token = 'secret'
    await clientOf(api, { credentials: plainCredentials(api.url, { authorization: 'Bearer secret' }) }).get(services, web)
    expect(api.requests[0]?.headers['user-agent']).toBe('gatewright/test')
  })

  it('arrive compressed where they are large, and are decompressed once', async () => {
    const { api, client, services } = await world()
    api.large = 10
    api.put(serviceObject('web'))
    expect(await client.get(services, web)).toMatchObject({ spec: { ports: [{ port: 80 }] } })
    expect(api.requests[0]?.headers['accept-encoding']).toBe('gzip')
  })
})

type Call = (client: KubeClient, services: Parameters<KubeClient['get']>[0]) => Promise<unknown>

const calls: Readonly<Record<string, Call>> = {
  get: (client, services) => client.get(services, web),
  update: (client, services) => client.replace(services, serviceObject('web')),
  patch: (client, services) => client.patch(services, web, { metadata: { labels: { a: 'b' } } }),
  apply: (client, services) => client.apply(services, serviceObject('web')),
  delete: (client, services) => client.delete(services, web),
}

describe('requests that may be carried out twice', () => {
  for (const [verb, call] of Object.entries(calls)) {
    for (const fault of [{ status: 500 }, { status: 502 }, { status: 504 }, 'drop', 'drop-answer'] as const) {
      it(`go again: ${verb} after ${typeof fault === 'string' ? fault : fault.status}`, async () => {
        const { api, client, services, waits } = await world()
        api.put(serviceObject('web'))
        api.fail({ kind: 'Service' }, fault, 2)
        await call(client, services)
        expect(api.asked({ kind: 'Service' })).toHaveLength(3)
        expect(waits).toEqual([75, 150])
      })
    }
  }

  it('are given up after five attempts', async () => {
    const { api, client, services } = await world()
    api.fail({}, { status: 500, reason: 'InternalError', message: 'etcd is away' }, Infinity)
    const error = await errorOf(client.get(services, web))
    expect(error.message).toBe('Cannot read Service shop/web: the API server answered 500 InternalError: etcd is away')
    expect(api.requests).toHaveLength(5)
  })

  it('have a deadline each', async () => {
    const { api, services, waits } = await world()
    api.put(serviceObject('web'))
    api.fail({}, 'hang')
    const client = clientOf(api, { deadline: 50, delay: async (milliseconds) => void waits.push(milliseconds) })
    expect(await client.get(services, web)).toBeDefined()
    api.fail({}, 'hang', Infinity)
    expect(await errorOf(client.get(services, web))).toMatchObject({ status: 0, reason: 'Timeout' })
  })
})

describe('requests that may not be carried out twice', () => {
  for (const fault of [{ status: 500 }, { status: 504 }, 'drop-answer', 'drop'] as const) {
    it(`fail at once: create after ${typeof fault === 'string' ? fault : fault.status}`, async () => {
      const { api, client, services } = await world()
      api.fail({ verb: 'create' }, fault)
      await errorOf(client.create(services, serviceObject('web')))
      expect(api.asked({ verb: 'create' })).toHaveLength(1)
    })
  }

  it('go again after what says that they were not begun, and not before the time that the server named', async () => {
    const { api, client, services, waits } = await world()
    api.fail({ verb: 'create' }, { status: 429, reason: 'TooManyRequests', retryAfter: 2 })
    api.fail({ verb: 'create' }, { status: 503, retryAfter: 1 })
    await client.create(services, serviceObject('web'))
    expect(waits).toEqual([2_050, 1_050])
  })

  it('never go again for a caller who knows itself when', async () => {
    const { api, client, services, waits } = await world({ retries: false })
    api.fail({ verb: 'apply' }, { status: 500 })
    expect(await errorOf(client.apply(services, serviceObject('web')))).toMatchObject({ status: 500 })
    expect(waits).toEqual([])
  })

  it('go again when there was no connection', async () => {
    const { api, services } = await world()
    const { port } = api
    const client = clientOf(api, { delay: () => api.listen(port) })
    await api.down()
    await client.create(services, serviceObject('web'))
    expect(api.get('Service', 'shop', 'web')).toBeDefined()
  })

  it('are not kept waiting for minutes', async () => {
    const { api, client, services } = await world()
    api.fail({ verb: 'create' }, { status: 429, retryAfter: 120 })
    expect(await errorOf(client.create(services, serviceObject('web')))).toMatchObject({ status: 429, retryAfter: 120_000 })
  })
})
