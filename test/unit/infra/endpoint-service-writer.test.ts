import { describe, expect, it } from 'vitest'
import { type EndpointService, EndpointServiceWriter } from '../../../src/infra/endpoint-service-writer.ts'
import { managedBy, proxyResources } from '../../../src/infra/proxy-manifests.ts'
import type { KubeApi, KubeObject } from '../../../src/kube/kube-api.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'

/** An API server for Services, and a watch that shows what happened when it is told to. */
function cluster() {
  const stored = new Map<string, KubeObject>()
  let shown: readonly KubeObject[] = []
  let made = 0
  let now = 0
  let isBroken = false
  const calls: string[] = []
  const refuse = async (): Promise<never> => Promise.reject(new Error('not used'))
  const api: KubeApi = {
    get: refuse,
    apply: refuse,
    replace: refuse,
    create: async (_resource, object) => {
      if (isBroken) throw new Error('quota exceeded')
      const name = `${String(object.metadata['generateName'])}${(made += 1)}`
      calls.push(`create ${name}`)
      const kept = { ...object, metadata: { ...object.metadata, name, uid: `u-${name}` } }
      stored.set(name, kept)
      return kept
    },
    patch: async (_resource, { name }, patch) => {
      calls.push(`patch ${name} ${JSON.stringify(patch)}`)
      const object = stored.get(name)
      if (object === undefined) throw new Error('gone')
      const { spec } = patch as { spec: { selector: Record<string, string | null> } }
      const selector = Object.fromEntries(Object.entries(spec.selector).filter(([, value]) => value !== null))
      stored.set(name, { ...object, spec: { ...spec, selector } })
      return object
    },
    delete: async (_resource, { name }, options) => {
      calls.push(`delete ${name} ${options?.uid ?? ''}`)
      stored.delete(name)
    },
  }
  const observed = { get: () => undefined, all: () => shown.map((object) => ({ resource: proxyResources.service, object })) }
  return {
    writer: new EndpointServiceWriter(api, observed, silentLogger, () => now),
    stored,
    watch: () => void (shown = [...stored.values()]),
    wait: (milliseconds: number) => void (now += milliseconds),
    breakDown: (broken: boolean) => void (isBroken = broken),
    taken: () => calls.splice(0),
  }
}

const service = (more: Partial<EndpointService> = {}): EndpointService => ({
  namespace: 'shop',
  backend: 'web.v1',
  uid: 'b',
  selector: { app: 'web' },
  port: 8080,
  ...more,
})

describe('the Services for the endpoints of XBackends', () => {
  it('are headless, of a generated name, for TCP and UDP, and go with their XBackend', async () => {
    const { writer, stored, taken } = cluster()
    await writer.write([service()])
    expect(taken()).toEqual(['create xbackend-web-v1-1'])
    expect([...stored.values()][0]).toMatchObject({
      metadata: {
        namespace: 'shop',
        labels: managedBy,
        annotations: { 'gatewright.dev/x-backend': 'web.v1' },
        ownerReferences: [{ kind: 'XBackend', name: 'web.v1', uid: 'b', controller: true }],
      },
      spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ targetPort: 8080, protocol: 'TCP' }, { protocol: 'UDP' }] },
    })
  })

  it('are made once, and again when the watch never shows them', async () => {
    const { writer, taken, watch, wait } = cluster()
    await writer.write([service()])
    await writer.write([service()])
    wait(31_000)
    await writer.write([service()])
    expect(taken()).toHaveLength(2)
    watch()
    // One of both is enough.
    await writer.write([service()])
    expect(taken()).toEqual(['delete xbackend-web-v1-2 u-xbackend-web-v1-2'])
    watch()
    await writer.write([service()])
    expect(taken()).toEqual([])
  })

  it('follow selector and port, whoever changed them', async () => {
    const { writer, stored, taken, watch } = cluster()
    await writer.write([service()])
    watch()
    await writer.write([service({ selector: { tier: 'web' }, port: 9090 })])
    expect(taken()).toHaveLength(2)
    expect([...stored.values()][0]).toMatchObject({ spec: { selector: { tier: 'web' }, ports: [{ port: 9090 }, { port: 9090 }] } })
    expect(stored.get('xbackend-web-v1-1')?.['spec']).toHaveProperty('selector', { tier: 'web' })
    watch()
    await writer.write([service({ selector: { tier: 'web' }, port: 9090 })])
    expect(taken()).toEqual([])
  })

  it('are deleted when nothing asks for them, and others are left alone', async () => {
    const { writer, stored, taken, watch } = cluster()
    await writer.write([service(), service({ backend: 'api' })])
    const own = [...stored.values()][0]
    if (own === undefined) throw new Error('nothing was made')
    stored.set('foreign', { ...own, metadata: { ...own.metadata, name: 'foreign', ownerReferences: [] } })
    watch()
    taken()
    await writer.write([service({ backend: 'api' })])
    expect(taken()).toEqual(['delete xbackend-web-v1-1 u-xbackend-web-v1-1'])
  })

  it('that cannot be made stop no other, and are tried again', async () => {
    const { writer, taken, breakDown } = cluster()
    breakDown(true)
    await writer.write([service()])
    breakDown(false)
    await writer.write([service()])
    expect(taken()).toEqual(['create xbackend-web-v1-1'])
  })
})
