import { describe, expect, it } from 'vitest'
import { gatewayApi, issues, manifest, parsed } from './manifest.ts'

const LISTENER = { name: 'web', port: 80, protocol: 'HTTP' }
const gateway = (more: object) => gatewayApi('Gateway', { gatewayClassName: 'class', listeners: [LISTENER], ...more })

describe('Gateway', () => {
  it('lets routes of its own namespace attach unless it says more', () => {
    const { spec } = parsed('Gateway', gateway({ allowedListeners: {} }))
    expect(spec).toEqual({
      gatewayClassName: 'class',
      listeners: [{ ...LISTENER, allowedRoutes: { namespaces: { from: 'Same' }, kinds: [] } }],
      addresses: [],
      allowedListeners: { namespaces: { from: 'None' } },
    })
  })

  it('has IP addresses that are some (the oneOf of its addresses)', () => {
    const addresses = [
      { value: '192.0.2.1' },
      { type: 'IPAddress', value: '2001:db8::1' },
      { type: 'IPAddress' },
      { type: 'NamedAddress', value: 'x' },
    ]
    expect(issues(gateway({ addresses }))).toEqual([])
    expect(issues(gateway({ addresses: [{ value: '192.0.2.256' }] }))).toEqual(['address-ip at spec.addresses[0].value'])
  })

  it.each([
    [{ key: 'a', operator: 'in', values: ['b'] }, 'selector-operator'],
    [{ key: 'a', operator: 'In' }, 'selector-values'],
    [{ key: 'a', operator: 'NotIn', values: [] }, 'selector-values'],
    [{ key: 'a', operator: 'Exists', values: ['b'] }, 'selector-values'],
  ])('selects nothing by %j, and warns: %s', (requirement, code) => {
    const allowedRoutes = { namespaces: { from: 'Selector', selector: { matchExpressions: [requirement] } } }
    const value = gateway({ listeners: [{ ...LISTENER, allowedRoutes }] })
    expect(parsed('Gateway', value).spec.listeners[0]?.allowedRoutes.namespaces.selector?.matchExpressions).toEqual([
      { key: 'a', operator: 'In', values: [] },
    ])
    expect(issues(value).map((issue) => issue.split(' ')[0])).toEqual([code])
  })

  it('keeps a status that is well formed', () => {
    const condition = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '', observedGeneration: 2 }
    const status = { conditions: [condition], addresses: [{ type: 'IPAddress', value: '192.0.2.1' }], listeners: [{ name: 'web' }] }
    expect(parsed('Gateway', { ...gateway({}), status }).status).toEqual({ conditions: [condition], addresses: status.addresses })
  })

  it('leaves a wrong status out and warns, as no manifest can set one', () => {
    const value = { ...gateway({}), status: { conditions: [{ type: 'Accepted' }] } }
    expect(parsed('Gateway', value).status).toBeUndefined()
    expect(issues(value)).toEqual([
      'required at status.conditions[0].status',
      'required at status.conditions[0].reason',
      'required at status.conditions[0].message',
    ])
  })
})

describe('what several kinds hold', () => {
  it('is refused in one object without a word about another', () => {
    expect(issues(gatewayApi('ListenerSet', { parentRef: { name: 'gateway' }, listeners: [{ ...LISTENER, port: 0 }] }))).toEqual([
      'minimum at spec.listeners[0].port',
    ])
    expect(
      issues(manifest('gateway.networking.k8s.io/v1', 'ReferenceGrant', { spec: { from: [], to: [{ group: '', kind: '' }] } })),
    ).toEqual(['too-few at spec.from', 'too-short at spec.to[0].kind'])
  })
})
