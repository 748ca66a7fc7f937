/**
 * What a backendRef comes to: a pool to send to, or a reason why its share of requests fails
 * (Gateway API v1, BackendObjectReference and HTTPBackendRef; the reasons of the route condition ResolvedRefs).
 */
import type { Service, ServicePort } from '../api/core.ts'
import type { Finding } from '../api/finding.ts'
import type { BackendObjectReference } from '../api/route.ts'
import type { PoolConfig, PoolKey } from '../config/pool.ts'
import { backendProtocol, type Speech } from './app-protocol.ts'
import { findings } from './findings.ts'
import type { Reader } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import { isPermitted, missingGrant } from './reference-grant.ts'
import { listed, type Remedy } from './remedy.ts'

export interface PoolUse {
  readonly key: PoolKey
  readonly backend: PoolConfig['backend']
  readonly protocol: PoolConfig['protocol']
}

export type Resolved =
  | { readonly kind: 'pool'; readonly pool: PoolUse; readonly findings: readonly Finding[] }
  | { readonly kind: 'fail'; readonly problem: BackendProblem; readonly findings: readonly Finding[] }

export interface BackendProblem {
  readonly reason: 'RefNotPermitted' | 'InvalidKind' | 'BackendNotFound' | 'UnsupportedProtocol'
  readonly message: string
  /** `Service/namespace/name:port`, for people. */
  readonly backend: string
  readonly remedy?: Remedy
  /** `namespace/name` of the BackendTLSPolicy that stands in the way. */
  readonly policy?: string
}

/** The object that refers. `transport`: what the route needs of a Service port. */
export interface Referrer {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly path: readonly (string | number)[]
  readonly transport: 'TCP' | 'UDP'
  readonly speech: Speech
}

export function resolveBackend(read: Reader, options: TranslateOptions, from: Referrer, ref: BackendObjectReference): Resolved {
  const namespace = ref.namespace ?? from.namespace
  const where = `${ref.kind} ${namespace}/${ref.name}`
  const fail = problemOf(`${ref.kind}/${namespace}/${ref.name}${ref.port === undefined ? '' : `:${ref.port}`}`)

  if (ref.group !== '' || ref.kind !== 'Service') {
    return fail(
      'InvalidKind',
      `Kind ${ref.kind} of ${ref.group === '' ? 'the core group' : `group ${ref.group}`} is no backend that is served (${where}); it must be a Service.`,
    )
  }
  const reference = { from, to: { group: ref.group, kind: ref.kind, namespace, name: ref.name } }
  if (!isPermitted(read, reference)) {
    const problem = `${from.kind} ${from.namespace}/${from.name} must not refer to ${where}: no ReferenceGrant in Namespace ${namespace} allows it.`
    return fail('RefNotPermitted', problem, { remedy: { what: 'allow it', yaml: missingGrant(reference) } })
  }
  const service = read.get('Service', namespace, ref.name)
  if (service === undefined) {
    return fail('BackendNotFound', `${where} does not exist.`, {}, [findings.serviceNotDefined(from, namespace, ref.name)])
  }
  if (service.spec.type === 'ExternalName' && !options.allowExternalName) {
    return fail(
      'InvalidKind',
      `${where} is of type ExternalName, which is refused: it could send traffic to any address, past the rules of its namespace (CVE-2021-25740). Use a Service with EndpointSlices.`,
    )
  }
  const port = portOf(service, ref.port, from.transport)
  if (port === undefined) return fail('BackendNotFound', `${where} has no port ${ref.port} (${from.transport}); ${portsInWords(service)}.`)

  const policy = read
    .bucket('tlsPoliciesByService', `${namespace}/${ref.name}`)
    .find(({ spec }) =>
      spec.targetRefs.some(
        ({ group, kind, name, sectionName }) =>
          group === '' && kind === 'Service' && name === ref.name && (sectionName === undefined || sectionName === port.name),
      ),
    )
  if (policy !== undefined) {
    const path = `${policy.metadata.namespace}/${policy.metadata.name}`
    return fail(
      'UnsupportedProtocol',
      `${where} must be reached over TLS as BackendTLSPolicy ${path} says, and BackendTLSPolicy is not served.`,
      { policy: path },
    )
  }
  const protocol = backendProtocol(port.appProtocol, from.speech)
  if (protocol.kind === 'unserved') {
    return fail('UnsupportedProtocol', `Port ${port.port} of ${where} has appProtocol ${port.appProtocol}: ${protocol.why}.`)
  }
  return {
    kind: 'pool',
    pool: {
      key: `Service/${namespace}/${ref.name}:${port.port}${protocol.protocol === 'http' ? '' : `;${protocol.protocol}`}`,
      backend: { kind: 'Service', namespace, name: ref.name, port: port.port },
      protocol: protocol.protocol,
    },
    findings: protocol.kind === 'unknown' ? [findings.appProtocolUnknown(service, port, protocol.protocol)] : [],
  }
}

function problemOf(backend: string) {
  return (
    reason: BackendProblem['reason'],
    message: string,
    more: Pick<BackendProblem, 'remedy' | 'policy'> = {},
    found: readonly Finding[] = [],
  ): Resolved => ({ kind: 'fail', problem: { reason, message, backend, ...more }, findings: found })
}

/** An ExternalName Service needs no ports: what the reference says is the port. */
function portOf({ spec }: Service, number: number | undefined, transport: 'TCP' | 'UDP'): ServicePort | undefined {
  if (number === undefined) return undefined
  const port = spec.ports.find((candidate) => candidate.port === number && candidate.protocol === transport)
  return port ?? (spec.type === 'ExternalName' ? { port: number, protocol: transport } : undefined)
}

function portsInWords({ spec }: Service): string {
  if (spec.ports.length === 0) return 'it has no ports'
  return `it has ${listed(spec.ports.map(({ name, port, protocol }) => `${port}${name === undefined ? '' : ` (${name})`}${protocol === 'TCP' ? '' : ` ${protocol}`}`))}`
}
