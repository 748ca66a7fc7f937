import { describe, expect, it } from 'vitest'
import { parse } from '../../../src/api/parse.ts'
import { issues, manifest, parsed } from './manifest.ts'

const service = (spec: object) => manifest('v1', 'Service', { spec })
const slice = (more: object) => manifest('discovery.k8s.io/v1', 'EndpointSlice', { addressType: 'IPv4', ...more })
const secret = (more: object) => manifest('v1', 'Secret', more)
const configMap = (more: object) => manifest('v1', 'ConfigMap', more)

describe('Namespace', () => {
  it('has the label of its name, whatever the manifest says', () => {
    const labels = { 'kubernetes.io/metadata.name': 'other', purpose: 'routing' }
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team', labels } }
    expect(parsed('Namespace', namespace).metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'team', purpose: 'routing' })
  })

  it('has a DNS label as name', () => {
    expect(issues({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a.b' } })).toEqual(['pattern at metadata.name'])
  })
})

describe('Service', () => {
  it('has defaults', () => {
    expect(parsed('Service', service({ ports: [{ port: 80 }], sessionAffinity: 'None', ipFamilies: ['IPv4'] })).spec).toEqual({
      type: 'ClusterIP',
      ports: [{ port: 80, protocol: 'TCP' }],
    })
  })

  it.each([
    ['a headless one without ports', { clusterIP: 'None' }],
    ['a name outside', { type: 'ExternalName', externalName: 'example.com.' }],
    [
      'one port number for two protocols',
      {
        ports: [
          { name: 'a', port: 53 },
          { name: 'b', port: 53, protocol: 'UDP' },
        ],
      },
    ],
    ['a named target', { ports: [{ name: '', port: 80, targetPort: 'http-alt' }] }],
    ['protocols of applications', { ports: [{ port: 80, appProtocol: 'kubernetes.io/h2c' }] }],
    ['an IPv6 address', { clusterIP: 'fd00::1', ports: [{ port: 80 }] }],
  ])('may be %s', (_, spec) => {
    expect(issues(service(spec))).toEqual([])
  })

  it.each([
    ['no ports', {}, 'service-ports-required at spec.ports'],
    ['port 0', { ports: [{ port: 0 }] }, 'minimum at spec.ports[0].port'],
    ['port 65536', { ports: [{ port: 65_536 }] }, 'maximum at spec.ports[0].port'],
    ['several ports without names', { ports: [{ port: 80 }, { name: 'b', port: 81 }] }, 'service-port-name at spec.ports[0].name'],
    [
      'a port name twice',
      {
        ports: [
          { name: 'a', port: 80 },
          { name: 'a', port: 81 },
        ],
      },
      'service-port-name-unique at spec.ports[1].name',
    ],
    [
      'a port twice',
      {
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 80 },
        ],
      },
      'service-port-unique at spec.ports[1]',
    ],
    ['a port name in upper case', { ports: [{ name: 'A', port: 80 }] }, 'pattern at spec.ports[0].name'],
    ['an unknown protocol', { ports: [{ port: 80, protocol: 'HTTP' }] }, 'enum at spec.ports[0].protocol'],
    ['a number in quotes as target', { ports: [{ port: 80, targetPort: '8080' }] }, 'target-port at spec.ports[0].targetPort'],
    ['a long name as target', { ports: [{ port: 80, targetPort: 'a'.repeat(16) }] }, 'target-port at spec.ports[0].targetPort'],
    ['a target of port 0', { ports: [{ port: 80, targetPort: 0 }] }, 'minimum at spec.ports[0].targetPort'],
    ['a bad appProtocol', { ports: [{ port: 80, appProtocol: 'a b' }] }, 'qualified-name at spec.ports[0].appProtocol'],
    ['an external name that is none', { type: 'ExternalName', externalName: 'a_b' }, 'service-external-name at spec.externalName'],
    ['no external name', { type: 'ExternalName' }, 'service-external-name at spec.externalName'],
    ['a cluster IP that is none', { clusterIP: '1.2.3', ports: [{ port: 80 }] }, 'service-cluster-ip at spec.clusterIP'],
    ['a headless load balancer', { type: 'LoadBalancer', clusterIP: 'None' }, 'service-cluster-ip at spec.clusterIP'],
    ['an unknown field', { port: [], ports: [{ port: 80 }] }, 'unknown-field at spec.port'],
  ])('finds %s', (_, spec, expected) => {
    expect(issues(service(spec))).toEqual([expected])
  })

  it('warns of a name that begins with a digit', () => {
    const digit = { apiVersion: 'v1', kind: 'Service', metadata: { name: '1a' }, spec: { ports: [{ port: 80 }] } }
    expect(issues(digit)).toEqual(['service-name-digit at metadata.name'])
    expect(parse(digit).kind).toBe('object')
  })
})

describe('EndpointSlice', () => {
  it('has defaults', () => {
    const { endpoints, ports } = parsed('EndpointSlice', slice({ endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 8080 }] }))
    expect({ endpoints, ports }).toEqual({
      endpoints: [{ addresses: ['10.0.0.1'], conditions: {} }],
      ports: [{ port: 8080, protocol: 'TCP' }],
    })
  })

  it.each([
    ['no address type', { addressType: null }, 'required at addressType'],
    ['no address', { endpoints: [{ addresses: [] }] }, 'too-few at endpoints[0].addresses'],
    ['an address of another type', { endpoints: [{ addresses: ['10.0.0.1', '::2'] }] }, 'endpoint-address at endpoints[0].addresses[1]'],
    ['a loopback address', { endpoints: [{ addresses: ['127.0.0.1'] }] }, 'endpoint-address at endpoints[0].addresses[0]'],
    ['a link-local address', { endpoints: [{ addresses: ['169.254.1.1'] }] }, 'endpoint-address at endpoints[0].addresses[0]'],
    ['a name that is none', { addressType: 'FQDN', endpoints: [{ addresses: ['a'] }] }, 'endpoint-address at endpoints[0].addresses[0]'],
    ['a port name twice', { ports: [{ name: '', port: 1 }, { port: 2 }] }, 'endpoint-port-name at ports[1].name'],
    ['a bad port name', { ports: [{ name: 'a_b', port: 1 }] }, 'pattern at ports[0].name'],
    ['too many endpoints', { endpoints: Array.from({ length: 1001 }, () => ({ addresses: ['10.0.0.1'] })) }, 'too-many at endpoints'],
  ])('finds %s', (_, more, expected) => {
    expect(issues(slice(more))).toEqual([expected])
  })
})

describe('Secret', () => {
  it('holds what stringData says beside and over data', () => {
    const { data, type } = parsed('Secret', secret({ data: { a: 'YQ==', b: 'Y\nm\n8=' }, stringData: { a: 'é', c: '' } }))
    expect({ data, type }).toEqual({ data: { a: 'w6k=', b: 'Ym8=', c: '' }, type: 'Opaque' })
  })

  it('of type kubernetes.io/tls has certificate and key', () => {
    expect(issues(secret({ type: 'kubernetes.io/tls', data: { 'tls.crt': '' } }))).toEqual(['secret-key-required at data["tls.key"]'])
    expect(issues(secret({ type: 'kubernetes.io/tls', stringData: { 'tls.crt': 'a', 'tls.key': 'b' } }))).toEqual([])
    expect(issues(secret({ type: 'constructor' }))).toEqual([])
  })

  it.each([
    ['what is no base64', { data: { a: 'hunter2!' } }, 'base64 at data.a'],
    ['base64 without padding', { data: { a: 'YQ' } }, 'base64 at data.a'],
    ['a number', { stringData: { a: 31_337 } }, 'type at stringData.a'],
    ['a number as base64', { data: { a: 31_337 } }, 'type at data.a'],
    ['a bad key', { data: { 'a/b': '' } }, 'data-key at data["a/b"]'],
    ['more than a mebibyte', { stringData: { a: 'x'.repeat(1_048_577) } }, 'data-too-long at data'],
  ])('finds %s and shows no value', (_, more, expected) => {
    expect(issues(secret(more))).toEqual([expected])
    expect(JSON.stringify(parse(secret(more)))).not.toMatch(/hunter2|31337|YQ/)
  })
})

describe('ConfigMap', () => {
  it('keeps texts and binary values apart', () => {
    const { data, binaryData } = parsed('ConfigMap', configMap({ data: { 'ca.crt': 'text' }, binaryData: { b: 'YQ==' }, immutable: true }))
    expect({ data, binaryData }).toEqual({ data: { 'ca.crt': 'text' }, binaryData: { b: 'YQ==' } })
  })

  it.each([
    ['a number', { data: { a: 1 } }, 'type at data.a'],
    ['a key twice', { data: { a: '' }, binaryData: { a: '' } }, 'data-key-twice at binaryData.a'],
    ['a key of dots', { data: { '..': '' } }, 'data-key at data[".."]'],
    ['more than a mebibyte', { data: { a: 'x'.repeat(1_048_577) } }, 'data-too-long at '],
  ])('finds %s', (_, more, expected) => {
    expect(issues(configMap(more))).toEqual([expected])
  })

  it('takes a key without a value for an empty text, as the API server does', () => {
    expect(parsed('ConfigMap', configMap({ data: { a: null } })).data).toEqual({ a: '' })
  })

  it('takes a key like __proto__ for a key like any other', () => {
    const value: unknown = JSON.parse('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"__proto__":"text"}}')
    expect(Object.entries(parsed('ConfigMap', value).data)).toEqual([['__proto__', 'text']])
  })
})
