/**
 * XBackend: what it says of connections to its endpoints, or why nothing can be sent to it (apisx/v1alpha1, BackendSpec; GEP-4894).
 *
 * It tells the gateway what it has to do on the wire: a protocol or a TLS mode that cannot be followed is never replaced by another.
 */
import type { XBackend, XBackendProtocol } from '../api/x-backend.ts'
import type { BackendTlsConfig } from '../config/backend-tls.ts'
import type { PoolConfig } from '../config/pool.ts'
import { isIp } from '../lib/ip.ts'
import type { Speech } from './app-protocol.ts'
import { judgeValidation } from './backend-tls.ts'
import type { Reader } from './memo.ts'
import type { Remedy } from './remedy.ts'
import { sessionOf } from './session.ts'
import { type LoadedCertificate, loadCertificate } from './tls.ts'

export interface JudgedXBackend {
  readonly backend: XBackend
  /** A sentence: why nothing is sent to it. */
  readonly problem?: string
  readonly remedy?: Remedy
  /** What it refers to exists and was not read yet: neither good nor bad. */
  readonly pending: boolean
  readonly tls?: BackendTlsConfig
  /** Shown to its endpoints. */
  readonly certificate?: LoadedCertificate
  /** Secrets and ConfigMaps, as in Translation. */
  readonly wants: readonly string[]
}

type BackendReader = Pick<Reader, 'get' | 'bucket'>

export function judgeXBackend(read: BackendReader, backend: XBackend): JudgedXBackend {
  const { tls } = backend.spec
  const own = ownProblem(backend)
  if (tls.validation === undefined) return { backend, pending: false, wants: [], ...(own !== undefined && { problem: own }) }
  const { kind, metadata } = backend
  const { judged, wants } = judgeValidation(read, { kind, namespace: metadata.namespace }, tls.validation)
  const shown = tls.clientCertificateRef && loadCertificate(read, backend, tls.clientCertificateRef)
  const all = [...wants, ...(shown?.wants === undefined ? [] : [shown.wants])]
  const unloaded = judged.problems.some(({ reason }) => reason === 'Pending') || (shown?.ok === false && shown.problem.reason === 'Pending')
  const fails = (problem: string): JudgedXBackend => ({ backend, problem, pending: unloaded, wants: all })
  if (own !== undefined) return { backend, problem: own, pending: false, wants: all }
  if (!judged.ok) return fails(`spec.tls.validation: ${judged.message}`)
  if (shown?.ok === false) {
    const { message, remedy } = shown.problem
    return { ...fails(`spec.tls.clientCertificateRef: ${message}`), ...(remedy !== undefined && { remedy }) }
  }
  const certificate = shown?.loaded
  return {
    backend,
    pending: false,
    tls: { ...judged.tls, ...(certificate !== undefined && { clientCertificate: certificate.certificate.fingerprint }) },
    ...(certificate !== undefined && { certificate }),
    wants: all,
  }
}

/** What the API server lets pass and the prose does not. */
function ownProblem({ metadata, spec }: XBackend): string | undefined {
  const hostname = spec.externalHostname?.hostname
  if (hostname !== undefined && isIp(hostname)) {
    return `spec.externalHostname.hostname must be a DNS name, got the address ${hostname}: an address is served by a Service with EndpointSlices.`
  }
  const session = spec.sessionPersistence && sessionOf(spec.sessionPersistence, `XBackend/${metadata.namespace}/${metadata.name}`, {})
  return session !== undefined && 'problem' in session ? `spec.sessionPersistence: ${session.problem}.` : undefined
}

export type XBackendSpeech =
  | { readonly kind: 'served'; readonly protocol: PoolConfig['protocol'] }
  /** A clause. */
  | { readonly kind: 'unserved'; readonly why: string }

/** What each protocol is for requests; '' is an XBackend that says none: "determined by the route". */
const FOR_REQUESTS: { readonly [P in XBackendProtocol | '']: 'own' | 'http' | 'h2c' | 'none' } = {
  '': 'own',
  HTTP: 'own',
  HTTP11: 'http',
  HTTP2: 'h2c',
  H2C: 'h2c',
  GRPC: 'h2c',
  /** Its transport is HTTP (Model Context Protocol, Transports); what the messages mean is not looked at. */
  MCP: 'http',
  /** By the Upgrade of HTTP/1.1 (RFC 6455). */
  WSS: 'http',
  TCP: 'none',
}

/** What is spoken to an XBackend by a route that sends `speech`. */
export function xBackendSpeech({ spec }: XBackend, speech: Speech): XBackendSpeech {
  const { protocol = '', tls } = spec
  switch (speech) {
    case 'udp':
      if (protocol !== '') return unserved(`protocol ${protocol} is not for datagrams`)
      return tls.mode === 'None' ? served('udp') : unserved('there is no TLS for datagrams: tls.mode must be None')
    case 'tls':
      return tls.mode === 'None' ? served('tcp') : unserved('what passes through is TLS already: tls.mode must be None')
    case 'tcp':
      return served('tcp')
    case 'http':
    case 'grpc': {
      const meant = FOR_REQUESTS[protocol]
      if (meant === 'none') return unserved(`protocol ${protocol} is for streams: requests need HTTP`)
      if (meant === 'http' && speech === 'grpc') return unserved(`protocol ${protocol} is not for gRPC, which needs HTTP/2`)
      return served(meant === 'own' ? (speech === 'grpc' ? 'h2c' : 'http') : meant)
    }
  }
}

function served(protocol: PoolConfig['protocol']): XBackendSpeech {
  return { kind: 'served', protocol }
}

function unserved(why: string): XBackendSpeech {
  return { kind: 'unserved', why }
}
