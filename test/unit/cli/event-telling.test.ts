import { describe, expect, it } from 'vitest'
import { EventTelling } from '../../../src/cli/event-telling.ts'
import type { Judged } from '../../../src/status/event-writer.ts'
import type { StatusOf } from '../../../src/translate/translation.ts'

const gatewayApi = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'web' }

function refused(name: string): StatusOf {
  const condition = { type: 'Accepted', status: 'False' as const, reason: 'NoMatchingParent', message: '', observedGeneration: 1 }
  const parents = [{ parentRef: gatewayApi, controllerName: 'a/b', conditions: [condition] }]
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'shop', name, status: { parents } }
}

function scene() {
  const uids = new Map([
    ['HTTPRoute shop/a', 'a1'],
    ['HTTPRoute shop/b', 'b1'],
  ])
  const lists: (readonly Judged[])[] = []
  const telling = new EventTelling(
    (judged) => lists.push(judged),
    (kind, path) => uids.get(`${kind} ${path}`),
  )
  const told = (): string[] => lists.splice(0).map((list) => list.map(({ name, uid }) => `${name} ${uid}`).join(', '))
  return { uids, telling, told }
}

const changed = (...paths: string[]) => new Map([['HTTPRoute', new Set(paths)]])

describe('the objects that Events are about', () => {
  it('are told when a status is another one, and not again while all stay', () => {
    const { telling, told } = scene()
    const statuses = [refused('a'), refused('b')]
    telling.tell(statuses, undefined)
    telling.tell(statuses, changed('shop/a'))
    expect(told()).toEqual(['a a1, b b1'])
    telling.tell([refused('a'), ...statuses.slice(1)], new Map())
    expect(told()).toEqual(['a a1, b b1'])
  })

  it.each([
    ['its path is known', changed('shop/a', 'shop/none')],
    ['anything may have changed', undefined],
  ])('are those that are there now when one was deleted and made again with the status that it had: %s', (_how, change) => {
    const { uids, telling, told } = scene()
    const statuses = [refused('a'), refused('b')]
    telling.tell(statuses, undefined)
    uids.set('HTTPRoute shop/a', 'a2')
    telling.tell(statuses, change)
    expect(told()).toEqual(['a a1, b b1', 'a a2, b b1'])
  })

  it('stay what they were while one is away', () => {
    const { uids, telling, told } = scene()
    const statuses = [refused('a'), refused('b')]
    telling.tell(statuses, undefined)
    uids.delete('HTTPRoute shop/a')
    telling.tell(statuses, changed('shop/a'))
    expect(told()).toEqual(['a a1, b b1'])
  })
})
