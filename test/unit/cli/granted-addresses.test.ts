import { describe, expect, it } from 'vitest'
import { addressesOf } from '../../../src/cli/granted-addresses.ts'

const plan = { gateway: 'infra/web', namespace: 'infra', name: 'web', labels: {}, annotations: {}, ports: [], addresses: [] }

function granted(asked: readonly string[], ingress: Readonly<Record<string, readonly object[]>>) {
  const addresses = asked.map((service) => ({ type: 'IPAddress', service }))
  return addressesOf({ ...plan, addresses }, (service) => {
    const given = ingress[service]
    return given && { loadBalancer: { ingress: given } }
  })
}

describe('the addresses of a Gateway', () => {
  it('are those of its Service where none was asked for', () => {
    expect(granted([], { web: [{ ip: '192.0.2.1' }, { hostname: 'lb.example' }], other: [{ ip: '192.0.2.9' }] })).toEqual([
      { type: 'IPAddress', value: '192.0.2.1' },
      { type: 'Hostname', value: 'lb.example' },
    ])
    expect(granted([], {})).toEqual([])
  })

  it('are those of all its Services, each once, in the order in which they were asked for', () => {
    const ingress = { web: [{ ip: '192.0.2.1' }], 'web-2': [{ ip: '192.0.2.2' }, { ip: '192.0.2.1' }], 'web-3': [{ ip: '' }] }
    expect(granted(['web-2', 'web', 'web-3', 'web-4'], ingress).map(({ value }) => value)).toEqual(['192.0.2.2', '192.0.2.1'])
  })
})
