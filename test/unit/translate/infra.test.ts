import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Gateway } from '../../../src/api/gateway.ts'
import { infraOf } from '../../../src/translate/infra.ts'

const gateway = (name: string, gatewayClassName: string): Gateway => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name, namespace: 'infra', generation: 1, labels: {}, annotations: {} },
  spec: { gatewayClassName, listeners: [], addresses: [] },
})

/** Names of objects: RFC 1123 subdomains of up to 253 characters. */
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$/)
const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'))

describe('the plan of a Gateway', () => {
  it('has a name that a Service may have and labels that fit, however long the names are (GEP-1762)', () => {
    fc.assert(
      fc.property(name, name, (own, ofClass) => {
        const plan = infraOf(gateway(own, ofClass), [])
        expect(plan.name).toMatch(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/)
        for (const value of Object.values(plan.labels)) expect(value).toMatch(/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/)
      }),
    )
  })

  it('is named after Gateway and class where that is short enough', () => {
    expect(infraOf(gateway('web', 'gatewright'), []).name).toBe('web-gatewright')
  })

  it('keeps apart what shortening could join', () => {
    const names = ['a.b', 'a-b', `${'x'.repeat(70)}1`, `${'x'.repeat(70)}2`].map((own) => infraOf(gateway(own, 'c'), []).name)
    expect(new Set(names).size).toBe(4)
  })

  it('keeps apart a name that begins with a digit and the one that it would be made of', () => {
    expect(infraOf(gateway('1abc', 'c'), []).name).not.toBe(infraOf(gateway('gw-1abc', 'c'), []).name)
  })

  it('has labels that select the pods of no other Gateway, also not of one that is named as a shortened label', () => {
    const label = (own: string) => infraOf(gateway(own, 'c'), []).labels['gateway.networking.k8s.io/gateway-name']
    fc.assert(
      fc.property(name, (own) => {
        const short = label(own)
        expect(short === own || short?.includes('_')).toBe(true)
      }),
    )
    expect(label('z'.repeat(80))).not.toBe(label('z'.repeat(81)))
  })

  it('has one port for each number and transport', () => {
    const listener = (port: number, protocol: 'HTTPS' | 'TLS' | 'UDP') => ({
      key: `${port}${protocol}`,
      name: 'x',
      port,
      protocol,
      hostname: '',
    })
    expect(infraOf(gateway('web', 'c'), [listener(443, 'TLS'), listener(443, 'HTTPS'), listener(53, 'UDP')]).ports).toEqual([
      { name: 'udp-53', port: 53, protocol: 'UDP' },
      { name: 'tcp-443', port: 443, protocol: 'TCP' },
    ])
  })
})
