/** Leader election: never two at a time, and never none for long. Time is an argument. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KubeApi, KubeObject } from '../../../src/kube/kube-api.ts'
import { KubeError } from '../../../src/kube/kube-error.ts'
import { LeaderElection } from '../../../src/kube/lease.ts'
import { settled, VirtualTime } from './virtual-time.ts'

/** The Lease as the API server keeps it. */
class LeaseServer {
  object: KubeObject | undefined
  writes = 0
  #version = 0

  get spec(): Readonly<Record<string, unknown>> {
    return (this.object?.['spec'] ?? {}) as Readonly<Record<string, unknown>>
  }

  put(spec: object): void {
    this.#version += 1
    const metadata = { name: 'leader', namespace: 'system', resourceVersion: String(this.#version) }
    this.object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }
  }

  write(given: KubeObject): KubeObject {
    const wanted = given.metadata.resourceVersion
    if (wanted !== this.object?.metadata.resourceVersion) throw new KubeError('Cannot write', { status: 409, reason: 'Conflict' })
    this.writes += 1
    this.put(given['spec'] as object)
    return this.object as KubeObject
  }
}

interface Network {
  /** What an attempt to reach the server meets before it, and after it. */
  before: () => Promise<void>
  after: () => Promise<void>
}

function candidate(server: LeaseServer, time: VirtualTime, identity: string) {
  const network: Network = { before: async () => {}, after: async () => {} }
  const through = async <T>(act: () => T): Promise<T> => {
    await network.before()
    const result = act()
    await network.after()
    return result
  }
  const api: Pick<KubeApi, 'get' | 'create' | 'replace'> = {
    get: async () => await through(() => server.object),
    create: async (_, object) => await through(() => server.write(object)),
    replace: async (_, object) => await through(() => server.write(object)),
  }
  const events: string[] = []
  const failures: KubeError[] = []
  const election = new LeaderElection({
    api,
    lease: { namespace: 'system', name: 'leader' },
    identity,
    onLead: (epoch) => events.push(`leads ${epoch}`),
    onFollow: () => events.push('follows'),
    failing: (error) => failures.push(error),
    now: time.now,
    timestamp: () => '2026-01-01T00:00:00.000000Z',
    delay: time.delay,
  })
  return { election, events, failures, network }
}

const NONE = 'none'
const FREE = { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 0 }

/** `spec`: of the Lease that is there at the beginning. */
function world(spec: object | typeof NONE = FREE) {
  const server = new LeaseServer()
  if (spec !== NONE) server.put(spec)
  const time = new VirtualTime()
  return { server, time, a: candidate(server, time, 'a'), b: candidate(server, time, 'b') }
}

const lost = () => Promise.reject(new KubeError('Cannot reach the API server', { status: 0, reason: 'ConnectionLost' }))
const never = () => new Promise<void>(() => {})

describe('leader election', () => {
  it('makes a Lease where there is none, for one of them with epoch 1, and lets the others follow', async () => {
    const { server, time, a, b } = world(NONE)
    a.election.start()
    await settled()
    b.election.start()
    // One whose Lease was deleted may lead as long.
    await time.advance(1_400)
    expect([...a.events, ...b.events]).toEqual([])
    await time.advance(8_000)
    expect(a.events).toEqual(['leads 1'])
    expect(b.events).toEqual([])
    expect([a.election.epoch, b.election.epoch]).toEqual([1, 0])
    expect(server.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 2, leaseTransitions: 1 })
  })

  it('does not wait as one who made it, when another one was faster', async () => {
    const { time, a, b } = world(NONE)
    a.election.start()
    b.election.start()
    await time.advance(3_000)
    const [leader, other] = a.election.isLeader ? [a, b] : [b, a]
    expect(leader.election.isLeader).toBe(true)
    await leader.election.stop()
    await time.advance(600)
    expect(other.election.isLeader).toBe(true)
  })

  it('renews every half second', async () => {
    const { server, time, a } = world()
    a.election.start()
    await time.advance(5_000)
    expect(server.writes).toBe(11)
  })

  it('hands over at the next look when the leader stops', async () => {
    const { server, time, a, b } = world()
    a.election.start()
    await settled()
    b.election.start()
    await time.advance(5_000)
    await a.election.stop()
    expect(a.events).toEqual(['leads 1', 'follows'])
    expect(server.spec['holderIdentity']).toBe('')
    await time.advance(500)
    expect(b.events).toEqual(['leads 2'])
    expect(b.election.epoch).toBe(2)
  })

  it('hands over in less than three seconds when the leader is killed', async () => {
    const { time, a, b } = world()
    a.election.start()
    await settled()
    b.election.start()
    await time.advance(5_000)
    a.network.before = never
    await time.advance(3_000)
    expect(b.events).toEqual(['leads 2'])
  })

  it('ends the leadership of one who cannot renew before another one can begin', async () => {
    for (const trouble of [lost, never]) {
      const { time, a, b } = world()
      a.election.start()
      await settled()
      b.election.start()
      await time.advance(5_000)
      a.network.before = trouble
      let both = 0
      let none = 0
      for (let i = 0; i < 400; i += 1) {
        await time.advance(10)
        if (a.election.isLeader && b.election.isLeader) both += 1
        if (!a.election.isLeader && !b.election.isLeader) none += 1
      }
      expect(both).toBe(0)
      expect(none).toBeGreaterThan(0)
      expect(a.events).toEqual(['leads 1', 'follows'])
      expect(b.election.epoch).toBe(2)
    }
  })

  it('is over to the clock for a process that was stopped, before any timer of it fires', async () => {
    const { time, a } = world()
    a.election.start()
    await time.advance(1_000)
    time.stall(1_600)
    expect(a.election.isLeader).toBe(false)
    expect(a.election.epoch).toBe(0)
  })

  it('does not begin by an answer that comes too late', async () => {
    const { time, a } = world()
    a.network.after = () => time.delay(1_800)
    a.election.start()
    await time.advance(1_900)
    expect(a.election.isLeader).toBe(false)
    a.network.after = async () => {}
    await time.advance(2_000)
    expect(a.events).toEqual(['leads 1'])
  })

  it('lets a leader that missed some renewals lead on with its epoch', async () => {
    const { time, a, b } = world()
    a.election.start()
    await settled()
    b.election.start()
    await time.advance(5_000)
    a.network.before = lost
    await time.advance(1_000)
    a.network.before = async () => {}
    await time.advance(5_000)
    expect(a.events).toEqual(['leads 1'])
    expect(b.events).toEqual([])
    expect(a.failures.length).toBeGreaterThan(0)
  })

  it('gives one Lease to one of two who ask at once', async () => {
    const { time, a, b } = world()
    a.election.start()
    b.election.start()
    await time.advance(3_000)
    expect([...a.events, ...b.events]).toEqual(['leads 1'])
  })

  it('waits for the end of a Lease that a dead process left behind, by its own clock alone', async () => {
    const { server, time, a } = world()
    server.put({ holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime: '2020-01-01T00:00:00.000000Z', leaseTransitions: 7 })
    a.election.start()
    await time.advance(14_000)
    expect(a.events).toEqual([])
    await time.advance(2_000)
    expect(a.events).toEqual(['leads 8'])
  })

  it('keeps the epoch growing when somebody deletes the Lease', async () => {
    const { server, time, a, b } = world()
    server.put({ holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 7 })
    a.election.start()
    await settled()
    b.election.start()
    await time.advance(2_000)
    expect(a.events).toEqual(['leads 8'])
    server.object = undefined
    await time.advance(2_000)
    expect(a.election.epoch).toBe(8)
    expect(server.spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 8 })
    await a.election.stop()
    server.object = undefined
    await time.advance(4_500)
    expect(b.events).toEqual(['leads 9'])
  })

  it('ends at once when somebody else holds the Lease', async () => {
    const { server, time, a } = world()
    a.election.start()
    await time.advance(2_000)
    server.put({ holderIdentity: 'x', leaseDurationSeconds: 2, leaseTransitions: 9 })
    await time.advance(1_000)
    expect(a.events).toEqual(['leads 1', 'follows'])
    await time.advance(2_500)
    expect(a.events.at(-1)).toBe('leads 10')
  })

  it('never has two leaders, and epochs that only grow, whatever the network and the processes go through', async () => {
    const trouble = fc.constantFrom('good', 'good', 'lost', 'never', 'slow', 'slow-answer', 'stop', 'deleted')
    const anyStep = fc.record({ who: fc.constantFrom(0, 1), what: trouble, lasts: fc.integer({ min: 50, max: 3_000 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 12 }), async (steps) => {
        const { server, time, a, b } = world()
        const all = [a, b]
        const epochs: number[] = []
        for (const one of all) one.election.start()
        for (const step of steps) {
          const { who, what, lasts } = step
          const { network, election } = all[who] ?? a
          network.before =
            what === 'lost' ? lost : what === 'never' ? () => Promise.race([never(), time.delay(1_000).then(lost)]) : async () => {}
          if (what === 'slow') network.before = () => time.delay(lasts / 2)
          network.after = what === 'slow-answer' ? () => time.delay(lasts / 2) : async () => {}
          // Once: nobody can tell one who deletes it every second from one who holds it.
          if (what === 'deleted' && steps.find((step) => step.what === 'deleted') === step) server.object = undefined
          if (what === 'stop') {
            const stopped = election.stop()
            await time.advance(1_500)
            await stopped
            all[who] = candidate(server, time, `${who}-${epochs.length}-${time.now()}`)
            all[who]?.election.start()
          }
          for (let passed = 0; passed < lasts; passed += 25) {
            await time.advance(25)
            const leading = all.filter((one) => one.election.isLeader)
            expect(leading.length).toBeLessThanOrEqual(1)
            const epoch = leading[0]?.election.epoch
            if (epoch !== undefined && epoch !== epochs.at(-1)) epochs.push(epoch)
          }
        }
        // One that never saw the Lease cannot know how often it changed hands before it was deleted.
        if (!steps.some(({ what }) => what === 'deleted')) expect(epochs).toEqual([...new Set(epochs)].sort((x, y) => x - y))
      }),
      { numRuns: 400 },
    )
  }, 60_000)
})
