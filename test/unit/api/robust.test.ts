import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from '../../../src/api/parse.ts'
import { gatewayApi, manifest } from './manifest.ts'

const BACKEND = { name: 'a', port: 80 }
const MANIFESTS: readonly object[] = [
  gatewayApi('GatewayClass', { controllerName: 'example.com/a', parametersRef: { group: '', kind: 'ConfigMap', name: 'a' } }),
  gatewayApi('Gateway', {
    gatewayClassName: 'class',
    listeners: [
      {
        name: 'a',
        port: 443,
        protocol: 'HTTPS',
        tls: { certificateRefs: [{ name: 'a' }] },
        allowedRoutes: { kinds: [{ kind: 'HTTPRoute' }] },
      },
    ],
    addresses: [{ value: '192.0.2.1' }],
    infrastructure: { labels: { a: 'b' } },
  }),
  gatewayApi('HTTPRoute', {
    parentRefs: [
      { name: 'a', sectionName: 'b' },
      { name: 'a', sectionName: 'c' },
    ],
    hostnames: ['a.example.com'],
    rules: [
      {
        matches: [{ path: { value: '/a' }, headers: [{ name: 'a', value: 'b' }] }],
        filters: [
          { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } } },
          { type: 'CORS', cors: { allowOrigins: ['*'] } },
        ],
        backendRefs: [BACKEND],
        timeouts: { request: '1s', backendRequest: '1s' },
        sessionPersistence: { cookie: {} },
      },
    ],
  }),
  gatewayApi('GRPCRoute', { rules: [{ matches: [{ method: { service: 'a' } }], backendRefs: [BACKEND] }] }),
  gatewayApi('TLSRoute', { hostnames: ['a'], rules: [{ backendRefs: [BACKEND] }] }),
  gatewayApi('BackendTLSPolicy', { targetRef: {}, tls: { caCertRefs: [], hostname: 'a' } }, 'v1alpha2'),
  manifest('v1', 'Service', { spec: { ports: [{ name: 'a', port: 80, targetPort: 'b' }], selector: { a: 'b' } } }),
  manifest('discovery.k8s.io/v1', 'EndpointSlice', {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'] }],
    ports: [{ port: 80 }],
  }),
  manifest('v1', 'Secret', { type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' }, stringData: { a: 'b' } }),
  manifest('v1', 'ConfigMap', { data: { a: 'b' }, binaryData: { c: '' } }),
]

describe('parse of a manifest with any JSON in any place', () => {
  it('never throws, and refuses with an error or accepts without one', () => {
    const places = MANIFESTS.flatMap((value) => pathsOf(value).map((path) => ({ value, path })))
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue({ maxDepth: 3 }), ({ value, path }, replacement) => {
        const result = parse(replaced(value, path, replacement))
        const hasError = result.kind !== 'unknown' && result.issues.some(({ severity }) => severity === 'error')
        expect(hasError).toBe(result.kind === 'invalid')
      }),
      { numRuns: 2000 },
    )
  })
})

type Step = string | number

function pathsOf(value: unknown): Step[][] {
  if (typeof value !== 'object' || value === null) return [[]]
  const entries: [Step, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return [[], ...entries.flatMap(([step, inner]) => pathsOf(inner).map((path) => [step, ...path]))]
}

function replaced(value: unknown, [step, ...rest]: readonly Step[], replacement: unknown): unknown {
  if (step === undefined) return replacement
  if (Array.isArray(value)) return value.map((item: unknown, index) => (index === step ? replaced(item, rest, replacement) : item))
  const object = value as Readonly<Record<string, unknown>>
  return { ...object, [step]: replaced(object[step], rest, replacement) }
}
