import { describe, expect, it } from 'vitest'
import type { EndpointSlice, Service } from '../../cluster/objects.ts'
import { forwardsOf, rulesOf } from '../../cluster/services/rules.ts'

const service: Service = {
  metadata: { name: 'web' },
  spec: {
    type: 'LoadBalancer',
    clusterIP: '10.96.0.9',
    ports: [
      { name: 'web', port: 80 },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ],
  },
  status: { loadBalancer: { ingress: [{ ip: '10.245.0.1' }] } },
}
const slice: EndpointSlice = {
  metadata: { name: 'web-1' },
  ports: [
    { name: 'web', port: 8080 },
    { name: 'dns', port: 5353, protocol: 'UDP' },
  ],
  endpoints: [
    { addresses: ['10.244.1.1'], conditions: { ready: true } },
    { addresses: ['10.244.1.2'], conditions: { ready: false } },
    { addresses: ['192.0.2.1'], conditions: { ready: true } },
  ],
}
const isPod = (address: string): boolean => address.startsWith('10.244.')

describe('the addresses of a Service', () => {
  it('lead, each with each port, to ready pods', () => {
    const endpoint = (port: number) => [{ address: '10.244.1.1', port }]
    expect(forwardsOf(service, [slice], isPod)).toEqual([
      { address: '10.96.0.9', protocol: 'tcp', port: 80, endpoints: endpoint(8080) },
      { address: '10.245.0.1', protocol: 'tcp', port: 80, endpoints: endpoint(8080) },
      { address: '10.96.0.9', protocol: 'udp', port: 53, endpoints: endpoint(5353) },
      { address: '10.245.0.1', protocol: 'udp', port: 53, endpoints: endpoint(5353) },
    ])
  })

  it('lead nowhere without a ready pod', () => {
    expect(forwardsOf(service, [{ ...slice, endpoints: [] }], isPod)).toEqual([])
  })

  it('share requests among endpoints by chance', () => {
    const endpoints = ['10.244.1.1', '10.244.1.2', '10.244.1.3'].map((address) => ({ address, port: 8080 }))
    const rules = rulesOf([{ address: '10.245.0.1', protocol: 'udp', port: 53, endpoints }])
    expect(rules.split('\n').filter((line) => line.includes('10.245.0.1'))).toEqual([
      '    ip daddr 10.245.0.1 udp dport 53 numgen random mod 3 0 dnat to 10.244.1.1:8080',
      '    ip daddr 10.245.0.1 udp dport 53 numgen random mod 2 0 dnat to 10.244.1.2:8080',
      '    ip daddr 10.245.0.1 udp dport 53 dnat to 10.244.1.3:8080',
    ])
  })
})
