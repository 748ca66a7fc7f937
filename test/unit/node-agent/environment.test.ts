import { describe, expect, it } from 'vitest'
import { environmentOf, expand } from '../../cluster/node/environment.ts'
import type { NamespaceData } from '../../cluster/node/environment.ts'
import type { Container, Pod } from '../../cluster/objects.ts'

const pod: Pod = { metadata: { name: 'one', namespace: 'a', labels: { app: 'web' } }, spec: { containers: [] } }
const nothing: NamespaceData = { secret: () => undefined, configMap: () => undefined }
const container = (more: Partial<Container>): Container => ({ name: 'c', image: 'i', ...more })

describe('the environment of a container', () => {
  it('takes fields of the pod', () => {
    const env = [
      { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    ]
    expect(environmentOf(pod, container({ env }), '10.0.0.7', nothing)).toMatchObject({ LABEL: 'web', IP: '10.0.0.7' })
  })

  it('rounds limits up to whole cores, and gives bytes', () => {
    const env = ['limits.cpu', 'limits.memory'].map((resource) => ({ name: resource, valueFrom: { resourceFieldRef: { resource } } }))
    const resources = { limits: { cpu: '1500m', memory: '64Mi' } }
    const environment = environmentOf(pod, container({ env, resources }), '', nothing)
    expect(environment).toMatchObject({ 'limits.cpu': '2', 'limits.memory': '67108864' })
  })

  it('says which object is missing, unless it is optional', () => {
    const from = (optional: boolean) => container({ envFrom: [{ secretRef: { name: 'gone', optional } }] })
    expect(() => environmentOf(pod, from(false), '', nothing)).toThrow('secret "gone" not found')
    expect(Object.keys(environmentOf(pod, from(true), '', nothing))).toEqual([
      'HOSTNAME',
      'KUBERNETES_SERVICE_HOST',
      'KUBERNETES_SERVICE_PORT',
    ])
  })
})

describe('$(NAME) in arguments', () => {
  it('is replaced by what is known, and by nothing else', () => {
    expect(expand('$(A)-$(B)-$$(A)-$A', { A: 'x' })).toBe('x-$(B)-$(A)-$A')
  })
})
