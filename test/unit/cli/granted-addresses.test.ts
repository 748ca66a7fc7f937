import { describe, expect, it } from 'vitest'
import { addressesOf, addressesOfAll } from '../../../src/cli/granted-addresses.ts'

const plan = { gateway: 'infra/web', namespace: 'infra', name: 'web', labels: {}, annotations: {}, ports: [], addresses: [] }

function granted(asked: readonly string[], ingress: Readonly<Record<string, readonly object[]>>) {
  const addresses = asked.map((service) => ({ type: 'IPAddress', service }))
  return addressesOf({ ...plan, addresses }, (service) => {
    const given = ingress[service]
    return given && serviceOf({ type: 'LoadBalancer' }, given)
  })
}

function serviceOf(spec: object, ingress: readonly object[] = []) {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec, status: { loadBalancer: { ingress } } }
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

  it('are those within the cluster where the Service is of a type that has no others', () => {
    const both = serviceOf({ type: 'ClusterIP', clusterIP: '10.0.0.7', clusterIPs: ['10.0.0.7', 'fd00::7'] })
    expect(addressesOf(plan, () => both).map(({ value }) => value)).toEqual(['10.0.0.7', 'fd00::7'])
    expect(addressesOf(plan, () => serviceOf({ type: 'NodePort', clusterIP: '10.0.0.8' }))).toEqual([
      { type: 'IPAddress', value: '10.0.0.8' },
    ])
    expect(addressesOf(plan, () => serviceOf({ type: 'ClusterIP', clusterIP: 'None' }))).toEqual([])
    expect(addressesOf(plan, () => serviceOf({ type: 'LoadBalancer', clusterIP: '10.0.0.9' }))).toEqual([])
  })

  it('are what stands there where nothing is asked for now, those of the network before those within the cluster', () => {
    const name = serviceOf({ type: 'ClusterIP', clusterIP: '10.0.0.7' })
    const asking = serviceOf({ type: 'LoadBalancer', clusterIP: '10.0.0.8' }, [{ ip: '192.0.2.1' }])
    expect(addressesOfAll([name, asking]).map(({ value }) => value)).toEqual(['192.0.2.1'])
    expect(addressesOfAll([name]).map(({ value }) => value)).toEqual(['10.0.0.7'])
  })
})
