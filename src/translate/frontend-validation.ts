/**
 * Whether the clients of a listener must show a certificate, and whose (Gateway API v1, GatewayTLSConfig.frontend; GEP-91): what is
 * said for its port, else the default; for HTTPS alone. It holds for all listeners of a port, since clients reuse connections.
 */
import type { Gateway, Listener } from '../api/gateway.ts'
import type { ClientValidationConfig } from '../config/listener.ts'
import { type AuthorityProblem, authoritiesOf } from './authorities.ts'
import type { Reader } from './memo.ts'

export interface FrontendValidation {
  /** Absent: no reference is good, and nobody may be let in. */
  readonly config?: ClientValidationConfig
  readonly problems: readonly AuthorityProblem[]
  readonly wants: readonly string[]
}

/** undefined: clients need not show anything. */
export function frontendValidationOf(read: Reader, gateway: Gateway, { protocol, port }: Listener): FrontendValidation | undefined {
  const frontend = gateway.spec.tls?.frontend
  const validation = (frontend?.perPort.find((entry) => entry.port === port)?.tls ?? frontend?.default)?.validation
  if (protocol !== 'HTTPS' || validation === undefined) return undefined
  const from = { kind: gateway.kind, namespace: gateway.metadata.namespace }
  const { bundle, problems, wants } = authoritiesOf(read, from, validation.caCertificateRefs)
  const mode = validation.mode === 'AllowInsecureFallback' ? 'insecure-fallback' : 'valid-only'
  return { ...(bundle !== '' && { config: { authorities: bundle, mode } }), problems, wants }
}
