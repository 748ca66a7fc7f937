import { describe, expect, it, onTestFinished } from 'vitest'
import type { KubeApi, KubeObject, Resource } from '../../../src/kube/kube-api.ts'
import { KubeError } from '../../../src/kube/kube-error.ts'
import { StatusWriter } from '../../../src/status/status-writer.ts'
import type { StoredObject, WantedStatus } from '../../../src/status/stored-object.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { pause } from '../../harness/eventually.ts'

const controllerName = 'gatewright.dev/gateway-controller'
const resourceOf = (kind: string): Resource => ({
  group: 'gateway.networking.k8s.io',
  version: 'v1',
  plural: `${kind.toLowerCase()}s`,
  kind,
  namespaced: true,
})

/** An API server that keeps statuses, and a watch that follows at once or when it is told to. */
function cluster({ follows = true, pause: between = 20 } = {}) {
  const server = new Map<string, KubeObject>()
  const watched = new Map<string, StoredObject>()
  const writes: { key: string; status: unknown }[] = []
  const faults: KubeError[] = []
  let version = 100
  let reads = 0
  let changes: Map<string, Set<string>> | undefined
  const takeChanges = (): typeof changes => {
    const taken = changes
    changes = new Map()
    return taken
  }
  const show = (key: string): void => {
    const [kind = '', ...path] = key.split('/')
    const known = changes?.get(kind) ?? new Set()
    changes?.set(kind, known.add(path.join('/')))
    const object = server.get(key)
    if (object === undefined) watched.delete(key)
    else
      watched.set(key, {
        resourceVersion: object.metadata.resourceVersion ?? '',
        generation: 1,
        status: object['status'] as StoredObject['status'],
      })
  }
  const put = (kind: string, name: string, status: object, visible = true): KubeObject => {
    version += 1
    const object: KubeObject = {
      apiVersion: 'v1',
      kind,
      metadata: { name, namespace: 'default', resourceVersion: String(version), generation: 1 },
      status,
    }
    server.set(`${kind}/default/${name}`, object)
    if (visible) show(`${kind}/default/${name}`)
    return object
  }
  const api: KubeApi = {
    get: async ({ kind }, { name }) => {
      reads += 1
      return server.get(`${kind}/default/${name}`)
    },
    patch: async ({ kind }, { name }, patch) => {
      const key = `${kind}/default/${name}`
      await pause(1)
      const fault = faults.shift()
      if (fault !== undefined) throw fault
      const { metadata, status } = patch as { metadata: { resourceVersion: string }; status: object }
      const stored = server.get(key)
      if (stored === undefined) throw new KubeError('not found', { status: 404, reason: 'NotFound' })
      if (stored.metadata.resourceVersion !== metadata.resourceVersion) throw new KubeError('stale', { status: 409, reason: 'Conflict' })
      writes.push({ key, status })
      return put(kind, name, { ...(stored['status'] as object), ...status }, follows)
    },
    create: async () => Promise.reject(new Error('not used')),
    replace: async () => Promise.reject(new Error('not used')),
    apply: async () => Promise.reject(new Error('not used')),
    delete: async () => Promise.reject(new Error('not used')),
  }
  const writer = new StatusWriter({
    api,
    stored: {
      at: (kind, path) => watched.get(`${kind}/${path}`),
      changes: () => takeChanges(),
      all: (kind) =>
        [...watched]
          .filter(([key]) => key.startsWith(`${kind}/`))
          .map(([key, stored]) => ({ namespace: 'default', name: key.split('/')[2] ?? '', stored })),
    },
    resourceOf,
    controllerName,
    logger: silentLogger,
    now: () => new Date('2026-03-03T00:00:00.123Z'),
    pause: between,
  })
  onTestFinished(() => writer.stop())
  return { writer, put, show, writes, faults, status: (key: string) => server.get(key)?.['status'], reads: () => reads }
}

const gateway = (name: string, status: string, message = ''): WantedStatus => ({
  kind: 'Gateway',
  namespace: 'default',
  name,
  status: { conditions: [{ type: 'Accepted', status, reason: 'Accepted', message, observedGeneration: 1 }] },
})
const route = (name: string, ...parents: string[]): WantedStatus => ({
  kind: 'HTTPRoute',
  namespace: 'default',
  name,
  status: { parents: parents.map((parent) => ({ parentRef: { name: parent }, controllerName, conditions: [] })) },
})

describe('the writer of statuses', () => {
  it('writes what differs, at once, all conditions together, and nothing twice', async () => {
    const { writer, put, writes, status } = cluster()
    put('Gateway', 'a', {
      conditions: [{ type: 'Accepted', status: 'Unknown', reason: 'Pending', message: '', lastTransitionTime: '1970-01-01T00:00:00Z' }],
    })
    writer.write([gateway('a', 'True')])
    await writer.settled()
    expect(status('Gateway/default/a')).toEqual({
      conditions: [
        {
          type: 'Accepted',
          status: 'True',
          reason: 'Accepted',
          message: '',
          observedGeneration: 1,
          lastTransitionTime: '2026-03-03T00:00:00Z',
        },
      ],
    })
    writer.write([gateway('a', 'True')])
    await writer.settled()
    expect(writes).toHaveLength(1)
  })

  it('takes changes of an object together that come fast', async () => {
    const { writer, put, writes, status } = cluster({ pause: 50 })
    put('Gateway', 'a', {})
    for (let i = 0; i < 200; i += 1) {
      writer.write([gateway('a', 'True', `${i} routes`)])
      await pause(1)
    }
    await writer.settled()
    expect(status('Gateway/default/a')).toMatchObject({ conditions: [{ message: '199 routes' }] })
    expect(writes.length).toBeLessThan(20)
    expect(writes.length).toBeGreaterThan(1)
  })

  it('lets a Gateway go before the routes that wait, since all of them are waited for by looking at it', async () => {
    const { writer, put, writes } = cluster()
    const names = Array.from({ length: 100 }, (_, i) => `r${i}`)
    for (const name of names) put('HTTPRoute', name, {})
    put('Gateway', 'a', {})
    writer.write([...names.map((name) => route(name, 'a')), gateway('a', 'True')])
    await writer.settled()
    expect(writes).toHaveLength(101)
    // Some sixteen are under way when it comes.
    expect(writes.findIndex(({ key }) => key.startsWith('Gateway'))).toBeLessThan(40)
  })

  it('writes what came to be wanted while it wrote', async () => {
    const { writer, put, writes, status } = cluster()
    put('Gateway', 'a', {})
    writer.write([gateway('a', 'False', 'early')])
    // The write is under way: it takes a millisecond.
    writer.write([gateway('a', 'True', 'late')])
    await writer.settled()
    expect(writes).toHaveLength(2)
    expect(status('Gateway/default/a')).toMatchObject({ conditions: [{ status: 'True', message: 'late' }] })
  })

  it('does not write again because the watch is late', async () => {
    const { writer, put, writes, show } = cluster({ follows: false })
    put('Gateway', 'a', {})
    writer.write([gateway('a', 'True')])
    await writer.settled()
    writer.write([gateway('a', 'True')])
    await writer.settled()
    show('Gateway/default/a')
    writer.write([gateway('a', 'True')])
    await writer.settled()
    expect(writes).toHaveLength(1)
  })

  it('reads again on a conflict, and keeps what the other has written', async () => {
    const { writer, put, status, reads } = cluster()
    put('HTTPRoute', 'a', { parents: [] })
    put('HTTPRoute', 'a', { parents: [{ parentRef: { name: 'g' }, controllerName: 'other/controller', conditions: [] }] }, false)
    writer.write([route('a', 'g')])
    await writer.settled()
    expect(reads()).toBe(1)
    expect(status('HTTPRoute/default/a')).toEqual({
      parents: [
        { parentRef: { name: 'g' }, controllerName: 'other/controller', conditions: [] },
        { parentRef: { name: 'g' }, controllerName, conditions: [] },
      ],
    })
  })

  it('gets through a storm of conflicts, and through errors', async () => {
    const { writer, put, faults, status } = cluster()
    put('Gateway', 'a', {})
    faults.push(...Array.from({ length: 12 }, () => new KubeError('stale', { status: 409, reason: 'Conflict' })))
    faults.push(
      new KubeError('busy', { status: 429, reason: 'TooManyRequests', retryAfter: 30 }),
      new KubeError('gone', { status: 0, reason: 'Unreachable' }),
    )
    writer.write([gateway('a', 'True')])
    await writer.settled()
    expect(status('Gateway/default/a')).toMatchObject({ conditions: [{ status: 'True' }] })
  })

  it('repairs what somebody else made of our entries', async () => {
    const { writer, put, status } = cluster()
    put('HTTPRoute', 'a', {})
    writer.write([route('a', 'g')])
    await writer.settled()
    put('HTTPRoute', 'a', { parents: [] })
    writer.write([route('a', 'g')])
    await writer.settled()
    expect(status('HTTPRoute/default/a')).toMatchObject({ parents: [{ controllerName }] })
  })

  it('takes our entries out of objects that are no longer ours, those of an earlier process too', async () => {
    const { writer, put, status, writes } = cluster()
    const entries = [
      { parentRef: { name: 'g' }, controllerName, conditions: [] },
      { parentRef: { name: 'g' }, controllerName: 'other/controller', conditions: [] },
    ]
    put('HTTPRoute', 'left', { parents: entries })
    put('HTTPRoute', 'foreign', { parents: entries.slice(1) })
    put('HTTPRoute', 'a', {})
    writer.write([route('a', 'g')])
    await writer.settled()
    writer.write([])
    await writer.settled()
    expect(status('HTTPRoute/default/left')).toEqual({ parents: entries.slice(1) })
    expect(status('HTTPRoute/default/a')).toEqual({ parents: [] })
    expect(writes.map(({ key }) => key)).not.toContain('HTTPRoute/default/foreign')
  })

  it('lets an object that is gone go', async () => {
    const { writer, put, faults } = cluster()
    put('Gateway', 'a', {})
    faults.push(new KubeError('not found', { status: 404, reason: 'NotFound' }))
    writer.write([gateway('a', 'True'), gateway('never-there', 'True')])
    await writer.settled()
    expect(faults).toEqual([])
  })
})
