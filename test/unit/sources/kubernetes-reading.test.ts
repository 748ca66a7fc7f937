import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kube/kube-api.ts'
import { read } from '../../../src/sources/kubernetes/reading.ts'

const options = { hasGeneration: true, warns: true }

function parameters(generation: number, spec: object): KubeObject {
  const metadata = { name: 'par', namespace: 'shop', uid: 'u', generation, resourceVersion: String(generation) }
  return { apiVersion: 'gatewright.dev/v1alpha1', kind: 'GatewayParameters', metadata, spec }
}

describe('GatewayParameters that became invalid', () => {
  const valid = read(parameters(1, { trustedProxies: ['10.0.0.0/8'] }), undefined, options)
  const edited = read(parameters(2, { trustedProxies: ['10.0.0.0/33'] }), valid, options)

  it('are not what they were before: what refers to them must say it now, not after the next start', () => {
    expect(edited.object).toMatchObject({
      kind: 'GatewayParameters',
      metadata: { name: 'par', namespace: 'shop', generation: 2 },
      spec: {},
      invalid: 'spec.trustedProxies[0] must be an IP address or a CIDR such as 10.0.0.0/8, got "10.0.0.0/33"',
    })
    expect(edited.object).toEqual(read(parameters(2, { trustedProxies: ['10.0.0.0/33'] }), undefined, options).object)
    expect(edited.findings.map(({ message }) => message)).toEqual([expect.not.stringContaining('stays in use')])
  })

  it('are valid again when they are mended', () => {
    const { object } = read(parameters(3, { trustedProxies: ['10.0.0.0/9'] }), edited, options)
    expect(object).toMatchObject({ spec: { trustedProxies: ['10.0.0.0/9'] } })
    expect(object).not.toHaveProperty('invalid')
  })
})
