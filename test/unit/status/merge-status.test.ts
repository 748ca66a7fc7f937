import { describe, expect, it } from 'vitest'
import { mergeStatus, sameStatus } from '../../../src/status/merge-status.ts'

const ours = 'gatewright.dev/gateway-controller'
const [then, now] = ['2026-01-01T00:00:00Z', '2026-02-02T00:00:00Z']
const condition = (type: string, status = 'True', observedGeneration = 1, more: object = {}) => ({
  type,
  status,
  reason: type,
  message: '',
  observedGeneration,
  ...more,
})
const old = { lastTransitionTime: then }
const parent = (name: string, controllerName: string, ...conditions: object[]) => ({ parentRef: { name }, controllerName, conditions })

describe('the list of parents of a route', () => {
  it('has at most 32 entries, those of others among them (RouteStatus.parents): ours that find no place wait for one', () => {
    const stored = { parents: [parent('theirs', 'other/controller')] }
    const wanted = { parents: Array.from({ length: 32 }, (_, i) => parent(`g${i}`, ours)) }
    const next = mergeStatus('HTTPRoute', stored, wanted, ours, now)
    expect(next?.['parents']).toEqual([...stored.parents, ...wanted.parents.slice(0, 31)])
    expect(sameStatus(mergeStatus('HTTPRoute', next, wanted, ours, now), next)).toBe(true)
    expect(mergeStatus('HTTPRoute', { parents: [] }, wanted, ours, now)?.['parents']).toHaveLength(32)
  })
})

describe('the status of a Gateway', () => {
  it('keeps conditions of other types in their place, and drops those of ours that exist only while True', () => {
    const stored = {
      conditions: [
        condition('Accepted', 'True', 1, old),
        condition('example.com/Nice', 'True', 1, old),
        condition('InsecureFrontendValidationMode', 'True', 1, old),
      ],
    }
    const next = mergeStatus(
      'Gateway',
      stored,
      { conditions: [condition('Accepted', 'True', 2), condition('Programmed', 'False', 2)] },
      ours,
      now,
    )
    expect(next).toEqual({
      conditions: [
        condition('Accepted', 'True', 2, old),
        condition('example.com/Nice', 'True', 1, old),
        condition('Programmed', 'False', 2, { lastTransitionTime: now }),
      ],
    })
  })

  it('has a new time only where the status of a condition changed', () => {
    const stored = { conditions: [condition('Accepted', 'Unknown'), condition('Programmed', 'True', 1, old)] }
    const next = mergeStatus(
      'Gateway',
      stored,
      { conditions: [condition('Accepted'), condition('Programmed', 'True', 2, { message: 'new' })] },
      ours,
      now,
    )
    expect(next?.['conditions']).toMatchObject([{ lastTransitionTime: now }, { lastTransitionTime: then, message: 'new' }])
  })

  it('is not written over what was judged of a newer generation', () => {
    const stored = { conditions: [condition('Accepted', 'True', 5)] }
    expect(mergeStatus('Gateway', stored, { conditions: [condition('Accepted', 'False', 4)] }, ours, now)).toBeUndefined()
  })

  it('has the listeners that there are, with the times of their conditions', () => {
    const stored = {
      listeners: [
        { name: 'gone', conditions: [] },
        {
          name: 'web',
          attachedRoutes: 1,
          conditions: [condition('Conflicted', 'False', 1, old), condition('OverlappingTLSConfig', 'True', 1, old)],
        },
      ],
    }
    const next = mergeStatus(
      'Gateway',
      stored,
      { conditions: [], listeners: [{ name: 'web', attachedRoutes: 2, conditions: [condition('Conflicted', 'False', 2)] }] },
      ours,
      now,
    )
    expect(next?.['listeners']).toEqual([{ name: 'web', attachedRoutes: 2, conditions: [condition('Conflicted', 'False', 2, old)] }])
  })
})

describe('the status of a ListenerSet', () => {
  it('has our conditions for those that the API server put there, beside those of others', () => {
    const pending = (type: string) => condition(type, 'Unknown', 0, old)
    const stored = { conditions: [pending('Accepted'), pending('Programmed'), condition('example.com/Nice', 'True', 1, old)] }
    const wanted = {
      conditions: [condition('Accepted'), condition('Programmed', 'False')],
      listeners: [{ name: 'web', attachedRoutes: 1, conditions: [condition('Conflicted', 'False')] }],
    }
    const timed = { lastTransitionTime: now }
    expect(mergeStatus('ListenerSet', stored, wanted, ours, now)).toEqual({
      conditions: [
        condition('Accepted', 'True', 1, timed),
        condition('Programmed', 'False', 1, timed),
        condition('example.com/Nice', 'True', 1, old),
      ],
      listeners: [{ name: 'web', attachedRoutes: 1, conditions: [condition('Conflicted', 'False', 1, timed)] }],
    })
  })

  it('counts in that of its Gateway, down to none', () => {
    const next = mergeStatus('Gateway', { attachedListenerSets: 2 }, { conditions: [], attachedListenerSets: 0 }, ours, now)
    expect(next?.['attachedListenerSets']).toBe(0)
  })
})

describe('the status of a route', () => {
  it('has our entries beside those of other controllers, each in its place', () => {
    const stored = {
      parents: [
        parent('a', ours, condition('Accepted', 'True', 1, old)),
        parent('a', 'other/controller', condition('Accepted')),
        parent('gone', ours),
      ],
    }
    const next = mergeStatus(
      'HTTPRoute',
      stored,
      { parents: [parent('b', ours, condition('Accepted')), parent('a', ours, condition('Accepted', 'True', 2))] },
      ours,
      now,
    )
    expect(next?.['parents']).toEqual([
      parent('a', ours, condition('Accepted', 'True', 2, old)),
      parent('a', 'other/controller', condition('Accepted')),
      parent('b', ours, condition('Accepted', 'True', 1, { lastTransitionTime: now })),
    ])
  })

  it('loses our entries and no others when nothing of ours shall stand there', () => {
    const stored = { parents: [parent('a', ours), parent('a', 'other/controller')] }
    expect(mergeStatus('HTTPRoute', stored, { parents: [] }, ours, now)).toEqual({ parents: [parent('a', 'other/controller')] })
  })

  it('tells entries of one controller apart by their whole parentRef', () => {
    const entry = (sectionName: string, status: string) => ({
      parentRef: { name: 'a', sectionName },
      controllerName: ours,
      conditions: [condition('Accepted', status)],
    })
    const next = mergeStatus(
      'HTTPRoute',
      { parents: [entry('x', 'True'), entry('y', 'True')] },
      { parents: [entry('y', 'False')] },
      ours,
      now,
    )
    expect(next?.['parents']).toMatchObject([{ parentRef: { sectionName: 'y' }, conditions: [{ status: 'False' }] }])
  })
})

describe('the status of a policy', () => {
  it('gets no entry when its list is full (PolicyStatus.ancestors)', () => {
    const entry = (name: string, controllerName: string) => ({ ancestorRef: { name }, controllerName, conditions: [] })
    const stored = { ancestors: Array.from({ length: 15 }, (_, i) => entry(`g${i}`, 'other/controller')) }
    const next = mergeStatus('BackendTLSPolicy', stored, { ancestors: [entry('a', ours), entry('b', ours)] }, ours, now)
    expect(next?.['ancestors']).toEqual([...stored.ancestors, entry('a', ours)])
  })
})

describe('statuses', () => {
  it.each([
    [{ conditions: [condition('A', 'True', 1, old)] }, { conditions: [condition('A', 'True', 1, { lastTransitionTime: now })] }, true],
    [{ conditions: [condition('A')] }, { conditions: [condition('A', 'False')] }, false],
    [{ a: 1 }, { a: 1, b: undefined }, true],
    [{ a: [1, 2] }, { a: [1] }, false],
    [{ a: null }, { a: {} }, false],
  ])('%j and %j are the same: %s', (a, b, same) => {
    expect(sameStatus(a, b)).toBe(same)
  })
})
