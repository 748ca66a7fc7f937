import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EndpointSlice, Service } from '../../../src/api/core.ts'
import { compareObjects } from '../../../src/cluster/order.ts'
import { SnapshotBuilder } from '../../../src/cluster/snapshot-builder.ts'

function service(namespace: string, name: string): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name, generation: 1, labels: {}, annotations: {} },
    spec: { type: 'ClusterIP', ports: [] },
  }
}

function slice(namespace: string, name: string, of: string | undefined): EndpointSlice {
  const labels: Record<string, string> = of === undefined ? {} : { 'kubernetes.io/service-name': of }
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name, generation: 1, labels, annotations: {} },
    addressType: 'IPv4',
    endpoints: [],
    ports: [],
  }
}

const namespace = fc.constantFrom('a', 'a-b', 'b')
const name = fc.constantFrom('x', 'y', 'z')
const edit = fc.record({
  remove: fc.boolean(),
  slice: fc.record({ namespace, name, of: fc.option(fc.constantFrom('s', 't'), { nil: undefined }) }),
})

describe('the snapshot', () => {
  it('holds what the edits left, sorted and indexed, after any sequence of edits and snapshots', () => {
    fc.assert(
      fc.property(fc.array(fc.array(edit, { maxLength: 8 }), { maxLength: 8 }), (rounds) => {
        const builder = new SnapshotBuilder()
        const model = new Map<string, EndpointSlice>()
        for (const edits of rounds) {
          for (const { remove, slice: made } of edits) {
            const object = slice(made.namespace, made.name, made.of)
            const key = `${made.namespace}/${made.name}`
            if (remove) {
              builder.delete('EndpointSlice', made.namespace, made.name)
              model.delete(key)
            } else {
              builder.set(object)
              model.set(key, object)
            }
          }
          const snapshot = builder.snapshot()
          const all = [...model.values()].sort(compareObjects)
          expect(snapshot.all('EndpointSlice')).toEqual(all)
          for (const ns of ['a', 'a-b', 'b']) {
            for (const of of ['s', 't']) {
              const expected = all.filter(
                ({ metadata }) => metadata.namespace === ns && metadata.labels['kubernetes.io/service-name'] === of,
              )
              expect(snapshot.bucket('slicesByService', `${ns}/${of}`)).toEqual(expected)
            }
            for (const n of ['x', 'y', 'z']) expect(snapshot.get('EndpointSlice', ns, n)).toBe(model.get(`${ns}/${n}`))
          }
        }
      }),
    )
  })

  it('sorts by namespace before name, in which a-b comes after a', () => {
    const builder = new SnapshotBuilder()
    for (const [ns, n] of [
      ['a-b', 'x'],
      ['a', 'z'],
      ['a', 'y'],
    ] as const)
      builder.set(service(ns, n))
    expect(
      builder
        .snapshot()
        .all('Service')
        .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    ).toEqual(['a/y', 'a/z', 'a-b/x'])
  })

  it('is not changed by later edits', () => {
    const builder = new SnapshotBuilder()
    const first = service('a', 'x')
    builder.set(first)
    const snapshot = builder.snapshot()
    builder.set(service('a', 'x'))
    builder.set(service('a', 'y'))
    builder.snapshot()
    expect(snapshot.all('Service')).toEqual([first])
    expect(snapshot.get('Service', 'a', 'x')).toBe(first)
  })

  it('is the same one when nothing was edited, and keeps what an edit did not touch', () => {
    const builder = new SnapshotBuilder()
    const kept = slice('a', 'x', 's')
    for (const object of [kept, slice('a', 'y', 't'), service('a', 's')]) builder.set(object)
    const before = builder.snapshot()
    expect(builder.snapshot()).toBe(before)
    builder.set(slice('a', 'y', 't'))
    const after = builder.snapshot()
    expect(after.bucket('slicesByService', 'a/s')).toBe(before.bucket('slicesByService', 'a/s'))
    expect(after.bucket('slicesByService', 'a/t')).not.toBe(before.bucket('slicesByService', 'a/t'))
    expect(after.all('Service')).toBe(before.all('Service'))
    expect(after.all('EndpointSlice')).not.toBe(before.all('EndpointSlice'))
  })

  it('keeps everything when an object is set again or an unknown one deleted', () => {
    const builder = new SnapshotBuilder()
    const object = service('a', 'x')
    builder.set(object)
    const before = builder.snapshot()
    builder.set(object)
    builder.delete('Service', 'a', 'unknown')
    expect(builder.snapshot().all('Service')).toBe(before.all('Service'))
  })

  it('gives one and the same empty bucket for every key that is not there', () => {
    const snapshot = new SnapshotBuilder().snapshot()
    expect(snapshot.bucket('slicesByService', 'a/x')).toBe(snapshot.bucket('grantsByNamespace', 'b'))
  })

  it('carries the observations, by which a new snapshot comes to be', () => {
    const builder = new SnapshotBuilder()
    const before = builder.snapshot()
    const observations = { gateways: new Map(), assumeProgrammed: true }
    builder.observe(observations)
    expect(builder.snapshot()).not.toBe(before)
    expect(builder.snapshot().observations).toBe(observations)
  })
})
