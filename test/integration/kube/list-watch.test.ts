/** One kind, followed: whatever a watch goes through, what is held becomes what the server has. */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ListingApi } from '../../../src/kube/client.ts'
import { delay } from '../../../src/kube/delay.ts'
import type { KubeError } from '../../../src/kube/kube-error.ts'
import { ListWatch, type ListWatchBounds } from '../../../src/kube/list-watch.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { clientOf, scriptedApi, serviceObject } from '../../harness/kube.ts'

interface Value {
  readonly version: string | undefined
  readonly port: unknown
}

interface Options {
  readonly bounds?: Partial<ListWatchBounds>
  readonly metadataOnly?: boolean
  readonly through?: (client: ListingApi) => ListingApi
  /** Milliseconds by which the clock is ahead after each look at it. */
  readonly tick?: number
}

const quick = { first: 10, longest: 50 }

async function world(names: readonly string[] = ['a', 'b'], options: Options = {}) {
  const { bounds, metadataOnly = false, through = (client: ListingApi) => client, tick = 0 } = options
  const api = await scriptedApi()
  for (const name of names) api.put(serviceObject(name))
  const changes: string[][] = []
  const failures: (KubeError | undefined)[] = []
  const waits: number[] = []
  let ahead = 0
  const watch = new ListWatch<Value>({
    api: through(clientOf(api)),
    resource: api.resource('Service'),
    selection: { metadataOnly },
    take: ({ metadata, spec }, previous) => {
      const value = { version: metadata.resourceVersion, port: (spec as { ports?: { port: number }[] } | undefined)?.ports?.[0]?.port }
      return previous !== undefined && previous.version === value.version ? previous : value
    },
    changed: (keys) => changes.push([...keys].sort()),
    failing: (error) => failures.push(error),
    random: () => 0.5,
    delay: async (milliseconds, signal) => {
      waits.push(milliseconds)
      await delay(Math.min(milliseconds, 20), signal)
    },
    now: () => performance.now() + (ahead += tick),
    bounds: { backoff: quick, ...bounds },
  })
  onTestFinished(() => watch.stop())
  const ports = () => Object.fromEntries([...watch.items.keys()].sort().map((key) => [key, watch.items.get(key)?.port]))
  const until = async (expected: Readonly<Record<string, unknown>>) => {
    await eventually(() => JSON.stringify(ports()) === JSON.stringify(expected), JSON.stringify(expected))
  }
  const watching = async () => await eventually(() => api.watched.includes('Service'), 'a watch')
  return {
    api,
    watch,
    changes,
    failures,
    waits,
    ports,
    until,
    watching,
    asked: (verb: 'list' | 'watch') => api.asked({ verb, kind: 'Service' }),
  }
}

describe('the list at the start', () => {
  it('is complete when start resolves, though it comes in pages', async () => {
    const names = Array.from({ length: 1_201 }, (_, i) => `s${i}`)
    const { watch, asked, changes } = await world(names)
    await watch.start()
    expect(watch.items.size).toBe(1_201)
    expect(asked('list').map(({ query }) => query.get('limit'))).toEqual(['500', '500', '500'])
    expect(changes).toHaveLength(1)
  })

  it('begins anew when its pages cannot be continued', async () => {
    const names = Array.from({ length: 600 }, (_, i) => `s${i}`)
    const { api, watch, asked } = await world(names)
    api.fail({ verb: 'list', kind: 'Service' }, { delay: 0 })
    api.fail({ verb: 'list', kind: 'Service' }, { status: 410, reason: 'Expired' })
    await watch.start()
    expect(watch.items.size).toBe(600)
    expect(asked('list')).toHaveLength(4)
  })

  it('is followed without a gap: what comes between it and the watch is not lost', async () => {
    const { api, watch, until } = await world(['a', 'b'])
    api.fail({ verb: 'watch', kind: 'Service' }, { delay: 50 })
    await watch.start()
    api.put(serviceObject('a', 81))
    api.remove('Service', 'shop', 'b')
    api.put(serviceObject('c', 83))
    await until({ 'shop/a': 81, 'shop/c': 83 })
  })

  it('is waited for, however slow or refused it is, and no earlier than the server wants', async () => {
    const { api, watch, waits, failures } = await world()
    api.fail({ verb: 'list' }, { status: 429, reason: 'TooManyRequests', retryAfter: 3 })
    api.fail({ verb: 'list' }, { status: 403, reason: 'Forbidden' })
    api.fail({ verb: 'list' }, { delay: 100 })
    await watch.start()
    expect(watch.items.size).toBe(2)
    expect(waits[0]).toBe(3_000)
    expect(failures.map((error) => error?.status)).toEqual([429, 403, undefined])
  })

  it('pauses longer after each failure, by chance between half and all of it', async () => {
    const { api, watch, waits } = await world()
    api.fail({ verb: 'list' }, { status: 500 }, 5)
    await watch.start()
    expect(waits.slice(0, 4)).toEqual([15, 30, 37.5, 37.5])
  })

  it('takes metadata alone where that is wanted', async () => {
    const { api, watch, ports, asked } = await world(['a'], { metadataOnly: true })
    await watch.start()
    expect(ports()).toEqual({ 'shop/a': undefined })
    expect(asked('list')[0]?.headers['accept']).toMatch(/^application\/json;as=PartialObjectMetadataList;g=meta\.k8s\.io;v=v1$/)
    await eventually(() => asked('watch')[0], 'a watch')
    expect(asked('watch')[0]?.headers['accept']).toMatch(/as=PartialObjectMetadata;/)
    api.put(serviceObject('b'))
    await eventually(() => watch.items.size === 2, 'the other one')
  })

  it('leaves out what nobody reads', async () => {
    const api = await scriptedApi()
    const last = 'kubectl.kubernetes.io/last-applied-configuration'
    const { metadata, ...service } = serviceObject('a')
    api.put({ ...service, metadata: { ...metadata, annotations: { [last]: '{}', mine: 'x' }, managedFields: [{ manager: 'x' }] } })
    const watch = new ListWatch({
      api: clientOf(api),
      resource: api.resource('Service'),
      take: (object) => object,
      changed: () => {},
      failing: () => {},
      random: Math.random,
      delay,
      now: () => performance.now(),
    })
    onTestFinished(() => watch.stop())
    await watch.start()
    expect(watch.items.get('shop/a')).toMatchObject({ apiVersion: 'v1', kind: 'Service', metadata: { annotations: { mine: 'x' } } })
    expect(JSON.stringify(watch.items.get('shop/a'))).not.toMatch(/last-applied|managedFields/)
  })
})

describe('the watch', () => {
  it('follows additions, changes and deletions, and says which', async () => {
    const { api, watch, changes, until } = await world(['a'])
    await watch.start()
    api.put(serviceObject('b'))
    await until({ 'shop/a': 80, 'shop/b': 80 })
    api.put(serviceObject('b', 81))
    await until({ 'shop/a': 80, 'shop/b': 81 })
    api.remove('Service', 'shop', 'a')
    await until({ 'shop/b': 81 })
    expect(changes).toEqual([['shop/a'], ['shop/b'], ['shop/b'], ['shop/a']])
  })

  it('waits for events that come late', async () => {
    const { api, watch, watching, until, ports } = await world(['a'])
    await watch.start()
    await watching()
    api.hold()
    api.put(serviceObject('b'))
    await pause(50)
    expect(ports()).toEqual({ 'shop/a': 80 })
    api.release()
    await until({ 'shop/a': 80, 'shop/b': 80 })
  })

  for (const ending of ['end', 'reset', 'half-line'] as const) {
    it(`goes on from the last version after it ended (${ending}), without a list`, async () => {
      const { api, watch, watching, until, asked } = await world(['a', 'b'])
      await watch.start()
      await watching()
      const changed = api.put(serviceObject('a', 81))
      await until({ 'shop/a': 81, 'shop/b': 80 })
      api.hold()
      api.remove('Service', 'shop', 'b')
      api.watchesEnd(ending)
      api.release()
      await until({ 'shop/a': 81 })
      expect(asked('list')).toHaveLength(1)
      expect(asked('watch')[1]?.query.get('resourceVersion')).toBe(changed.metadata.resourceVersion)
    })
  }

  it('goes on from a bookmark where nothing happened to its kind', async () => {
    const { api, watch, watching, asked } = await world(['a'])
    await watch.start()
    await watching()
    const other = api.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'shop' }, data: {} })
    api.bookmark()
    api.watchesEnd('end')
    await eventually(() => asked('watch')[1], 'the next watch')
    expect(asked('watch')[1]?.query.get('resourceVersion')).toBe(other.metadata.resourceVersion)
    expect(asked('watch')[0]?.query.get('allowWatchBookmarks')).toBe('true')
  })

  for (const as of ['response', 'event'] as const) {
    it(`lists again when its version is forgotten (410 as ${as}): deletions are noticed, and what is unchanged keeps its value`, async () => {
      const { api, watch, watching, until, asked, changes } = await world(['a', 'b', 'c'])
      await watch.start()
      await watching()
      const before = watch.items.get('shop/a')
      api.expiredAs = as
      api.hold()
      api.remove('Service', 'shop', 'b')
      api.put(serviceObject('c', 83))
      api.store.compact()
      api.watchesEnd('reset')
      await until({ 'shop/a': 80, 'shop/c': 83 })
      expect(watch.items.get('shop/a')).toBe(before)
      expect(changes.at(-1)).toEqual(['shop/b', 'shop/c'])
      expect(asked('list')).toHaveLength(2)
      api.release()
      api.put(serviceObject('d', 84))
      await until({ 'shop/a': 80, 'shop/c': 83, 'shop/d': 84 })
    })
  }

  it('that runs learns by an error event that its version is forgotten', async () => {
    const { api, watch, watching, until, asked } = await world(['a', 'b'])
    await watch.start()
    await watching()
    api.watchesEnd('expired')
    await eventually(() => asked('list').length === 2, 'the second list')
    api.put(serviceObject('a', 81))
    await until({ 'shop/a': 81, 'shop/b': 80 })
  })

  it('that died silently is noticed, and begun again', async () => {
    const { api, watch, watching, until, asked } = await world(['a'], { bounds: { silence: 100 } })
    await watch.start()
    await watching()
    api.silence()
    api.put(serviceObject('a', 81))
    await until({ 'shop/a': 81 })
    expect(asked('list')).toHaveLength(1)
  })

  it('is not begun again while bookmarks come', async () => {
    const { api, watch, watching, asked } = await world(['a'], { bounds: { silence: 200 } })
    await watch.start()
    await watching()
    for (let i = 0; i < 8; i += 1) {
      await pause(50)
      api.bookmark()
    }
    expect(asked('watch')).toHaveLength(1)
  })

  it('is asked to end after five to ten minutes, by chance', async () => {
    const { watch, asked } = await world(['a'])
    await watch.start()
    await eventually(() => asked('watch')[0], 'a watch')
    expect(asked('watch')[0]?.query.get('timeoutSeconds')).toBe('450')
  })

  it('that ends at once again and again is not begun in a hot loop', async () => {
    const { api, watch, waits } = await world(['a'])
    api.fail({ verb: 'watch' }, 'drop', 6)
    await watch.start()
    await eventually(() => api.watched.length > 0, 'a watch that stays')
    expect(waits).toHaveLength(6)
  })

  it('lists again when the server goes on refusing its version with other errors', async () => {
    const { api, watch, asked } = await world(['a'])
    api.fail({ verb: 'watch' }, { status: 504, reason: 'Timeout', message: 'Too large resource version' }, 5)
    await watch.start()
    await eventually(() => asked('list').length >= 2, 'the second list')
  })

  it('comes back when the server does', async () => {
    const { api, watch, watching, until, failures } = await world(['a'])
    await watch.start()
    await watching()
    const { port } = api
    await api.down()
    api.put(serviceObject('a', 81))
    await eventually(() => failures.some((error) => error?.reason === 'Unreachable'), 'the report of it')
    await api.listen(port)
    await until({ 'shop/a': 81 })
    expect(failures.at(-1)).toBeUndefined()
  })

  it('says nothing of trouble that passes', async () => {
    const { api, watch, watching, until, failures } = await world(['a'])
    await watch.start()
    await watching()
    api.watchesEnd('reset')
    api.put(serviceObject('a', 81))
    await until({ 'shop/a': 81 })
    expect(failures).toEqual([])
  })

  it('is silent after stop, and leaves nothing open', async () => {
    const { api, watch, watching, changes } = await world(['a'])
    await watch.start()
    await watching()
    await watch.stop()
    api.put(serviceObject('b'))
    await eventually(() => api.watched.length === 0, 'the end of the watch')
    expect(changes).toEqual([['shop/a']])
  })

  it('goes on after an object that could not be understood', async () => {
    const { api, watch, watching, until, failures } = await world(['a'], {
      through: (client) => ({
        listPage: (...asked) => client.listPage(...asked),
        async *watch(...asked) {
          for await (const events of client.watch(...asked)) yield events.map(({ type }) => ({ type, object: null }))
        },
      }),
    })
    await watch.start()
    await watching()
    api.put(serviceObject('a', 81))
    await until({ 'shop/a': 81 })
    expect(failures.find((error) => error !== undefined)?.reason).toBe('Unexpected')
  })
})
