import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kube/kube-api.ts'
import { KubeError } from '../../../src/kube/kube-error.ts'
import { gatewayExistsFinalizer, writeFinalizers } from '../../../src/status/class-finalizer.ts'
import { EventWriter, type Judged } from '../../../src/status/event-writer.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'

function scene() {
  const events: KubeObject[] = []
  const writer = new EventWriter({
    api: {
      create: async (_, object) => {
        events.push(object)
        return object
      },
    },
    logger: silentLogger,
    now: () => new Date('2026-01-01T00:00:00Z'),
    controllerName: 'gatewright.dev/gateway-controller',
    instance: 'pod-1',
  })
  const tell = async (...judged: Judged[]): Promise<string[]> => {
    const before = events.length
    writer.tell(judged)
    await writer.settled()
    return events.slice(before).map((event) => `${String(event['type'])} ${String(event['reason'])} ${String(event['message'])}`)
  }
  return { tell, events }
}

const route = (status: string, reason: string, message = '', about = 'Gateway a/b'): Judged => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  namespace: 'shop',
  name: 'r',
  uid: 'u1',
  conditions: [{ type: 'Accepted', status, reason, message, about }],
})

describe('events', () => {
  it('tell of a refusal once, of another reason again, and of recovery', async () => {
    const { tell, events } = scene()
    expect(await tell(route('True', 'Accepted'))).toEqual([])
    expect(await tell(route('False', 'NotAllowedByListeners', 'no'))).toEqual(['Warning NotAllowedByListeners Gateway a/b: no'])
    expect(await tell(route('False', 'NotAllowedByListeners', 'no, in other words'))).toEqual([])
    expect(await tell(route('False', 'NoMatchingParent', 'none'))).toEqual(['Warning NoMatchingParent Gateway a/b: none'])
    expect(await tell(route('True', 'Accepted', 'well'))).toEqual(['Normal Accepted Gateway a/b: well'])
    expect(await tell(route('True', 'Accepted', 'well'))).toEqual([])
    expect(events[0]).toMatchObject({
      involvedObject: { kind: 'HTTPRoute', namespace: 'shop', name: 'r', uid: 'u1' },
      reportingInstance: 'pod-1',
    })
    expect(new Set(events.map(({ metadata }) => metadata.name)).size).toBe(events.length)
  })

  it('do not tell of what is on its way', async () => {
    const { tell } = scene()
    const gateway = (status: string, reason: string): Judged => ({
      ...route(status, reason),
      kind: 'Gateway',
      conditions: [{ type: 'Programmed', status, reason, message: '' }],
    })
    expect(await tell(gateway('False', 'Pending'))).toEqual([])
    expect(await tell(gateway('True', 'Programmed'))).toEqual([])
    expect(await tell(gateway('False', 'AddressNotUsable'))).toEqual(['Warning AddressNotUsable '])
    expect(await tell(gateway('False', 'Pending'))).toEqual([])
    expect(await tell(gateway('False', 'AddressNotUsable'))).toEqual([])
    expect(await tell(gateway('True', 'Programmed'))).toEqual(['Normal Programmed '])
  })

  it('tell of each parent by itself, and forget objects that are gone', async () => {
    const { tell } = scene()
    const both: Judged = {
      ...route('True', ''),
      conditions: ['x', 'y'].map((about) => ({ type: 'Accepted', status: 'False', reason: 'NoMatchingParent', message: '', about })),
    }
    expect(await tell(both)).toHaveLength(2)
    expect(await tell()).toEqual([])
    expect(await tell(both)).toHaveLength(2)
  })

  it('are dropped beyond a bound', async () => {
    const { tell } = scene()
    const many = Array.from({ length: 300 }, (_, i) => ({ ...route('False', 'NoMatchingParent'), name: `r${i}` }))
    expect((await tell(...many)).length).toBeLessThanOrEqual(201)
  })
})

describe('the finalizer of a class', () => {
  it('is there while a Gateway names the class, beside those of others', async () => {
    const patches: unknown[] = []
    const api = {
      patch: async (_: unknown, name: object, patch: object) => {
        patches.push([name, patch])
        throw new KubeError('stale', { status: 409, reason: 'Conflict' })
      },
    }
    const resource = {
      group: 'gateway.networking.k8s.io',
      version: 'v1',
      plural: 'gatewayclasses',
      kind: 'GatewayClass',
      namespaced: false,
    }
    const one = (name: string, inUse: boolean, ...finalizers: string[]) => ({
      name,
      resourceVersion: '7',
      inUse,
      finalizers,
      isDeleted: false,
    })
    await writeFinalizers(
      api,
      resource,
      [
        one('new', true, 'other'),
        one('kept', true, gatewayExistsFinalizer),
        one('left', false, gatewayExistsFinalizer, 'other'),
        one('idle', false),
        { ...one('gone', true, 'other'), isDeleted: true },
        { ...one('going', true, gatewayExistsFinalizer), isDeleted: true },
        { ...one('let-go', false, gatewayExistsFinalizer), isDeleted: true },
      ],
      silentLogger,
    )
    expect(patches).toEqual([
      [{ namespace: '', name: 'new' }, { metadata: { resourceVersion: '7', finalizers: ['other', gatewayExistsFinalizer] } }],
      [{ namespace: '', name: 'left' }, { metadata: { resourceVersion: '7', finalizers: ['other'] } }],
      // Of classes that are being deleted a finalizer can only be taken.
      [{ namespace: '', name: 'let-go' }, { metadata: { resourceVersion: '7', finalizers: [] } }],
    ])
  })
})
