import { describe, expect, it } from 'vitest'
import { issues, parsed } from './manifest.ts'

function configMap(metadata: object): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata }
}

describe('metadata', () => {
  it('keeps what a source says and fills in what it does not', () => {
    const metadata = {
      name: 'a.b',
      namespace: 'team',
      generation: 7,
      creationTimestamp: '2026-01-31T12:00:00Z',
      uid: 'u',
      resourceVersion: '12',
      labels: { 'example.com/a': 'B_1' },
      annotations: { 'Example.com/A': 'any text' },
      finalizers: ['example.com/f'],
    }
    expect(parsed('ConfigMap', configMap({ ...metadata, managedFields: [], ownerReferences: [] })).metadata).toEqual(metadata)
    expect(parsed('ConfigMap', configMap({ name: 'a', creationTimestamp: null, labels: null })).metadata).toEqual({
      name: 'a',
      namespace: 'default',
      generation: 1,
      labels: {},
      annotations: {},
    })
  })

  it('takes the namespace that the source gives to objects without one', () => {
    expect(parsed('ConfigMap', configMap({ name: 'a' }), { defaultNamespace: 'team' }).metadata.namespace).toBe('team')
    expect(parsed('ConfigMap', configMap({ name: 'a', namespace: 'own' }), { defaultNamespace: 'team' }).metadata.namespace).toBe('own')
  })

  it('takes an empty namespace for none, and a label without a value for an empty one', () => {
    const { namespace, labels } = parsed('ConfigMap', configMap({ name: 'a', namespace: '', labels: { a: null } })).metadata
    expect([namespace, labels]).toEqual(['default', { a: '' }])
  })

  it('has no namespace for a kind without namespaces, and warns of one', () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a', namespace: 'b' } }
    expect(parsed('Namespace', namespace, { defaultNamespace: 'team' }).metadata.namespace).toBe('')
    expect(issues(namespace)).toEqual(['namespace-ignored at metadata.namespace'])
  })

  it.each([
    ['no name', {}, 'required at metadata.name'],
    ['an upper case name', { name: 'A' }, 'pattern at metadata.name'],
    ['a name with an underscore', { name: 'a_b' }, 'pattern at metadata.name'],
    ['a long name', { name: 'a'.repeat(254) }, 'too-long at metadata.name'],
    ['a number as name', { name: 1 }, 'type at metadata.name'],
    ['a namespace with a dot', { name: 'a', namespace: 'a.b' }, 'pattern at metadata.namespace'],
    ['a number as label', { name: 'a', labels: { version: 1 } }, 'type at metadata.labels.version'],
    ['a long label', { name: 'a', labels: { a: 'b'.repeat(64) } }, 'too-long at metadata.labels.a'],
    ['a label with a slash', { name: 'a', labels: { a: 'b/c' } }, 'pattern at metadata.labels.a'],
    ['a label key with a space', { name: 'a', labels: { 'a b': 'c' } }, 'qualified-name at metadata.labels["a b"]'],
    ['a label key in a bad domain', { name: 'a', labels: { 'A.b/c': 'd' } }, 'qualified-name at metadata.labels["A.b/c"]'],
    ['an annotation key without a name', { name: 'a', annotations: { 'a.b/': 'c' } }, 'qualified-name at metadata.annotations["a.b/"]'],
    ['long annotations', { name: 'a', annotations: { a: 'b'.repeat(262_144) } }, 'annotations-too-long at metadata.annotations'],
    ['a time without a zone', { name: 'a', creationTimestamp: '2026-01-31 12:00' }, 'pattern at metadata.creationTimestamp'],
    ['a field of its own', { name: 'a', label: {} }, 'unknown-field at metadata.label'],
  ])('finds %s', (_, metadata, expected) => {
    expect(issues(configMap(metadata))).toEqual([expected])
  })
})
