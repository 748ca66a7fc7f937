import { describe, expect, it } from 'vitest'
import { closedPorts } from '../../../src/cli/closed-ports.ts'
import type { InfraPlan } from '../../../src/translate/translation.ts'

const plan: InfraPlan = {
  gateway: 'infra/web',
  namespace: 'infra',
  name: 'web-gatewright',
  labels: {},
  annotations: {},
  ports: [
    { name: 'tcp-80', port: 80, protocol: 'TCP' },
    { name: 'udp-53', port: 53, protocol: 'UDP' },
  ],
  addresses: [],
}
const http = { port: 80 }
const dns = { port: 53, protocol: 'UDP' }

describe('closed ports', () => {
  it('are those that the Service does not have, TCP unless it says otherwise (ServicePort.protocol)', () => {
    expect(closedPorts(plan, () => ({ ports: [http, dns] }))).toEqual([])
    expect(closedPorts(plan, () => ({ ports: [http, { port: 53 }] }))).toEqual([{ port: 53, transport: 'UDP' }])
  })

  it('are all where there is no Service', () => {
    expect(closedPorts(plan, () => undefined)).toEqual([
      { port: 80, transport: 'TCP' },
      { port: 53, transport: 'UDP' },
    ])
  })

  it('are those that any Service of the addresses does not have', () => {
    const addresses = ['one', 'two'].map((service) => ({ type: 'IPAddress', service }))
    const ports = closedPorts({ ...plan, addresses }, (service) => ({ ports: service === 'one' ? [http, dns] : [http] }))
    expect(ports).toEqual([{ port: 53, transport: 'UDP' }])
  })
})
