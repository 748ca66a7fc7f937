/**
 * Certificates between controllers and proxies: an authority in a Secret beside the controllers, a client certificate for
 * the proxies of each Gateway in a Secret beside these, and the controllers' own, which never leaves the process.
 *
 * Secrets are read and made here, not written. A certificate is renewed when a third of its life is left; the authority
 * lives long, and whoever deletes its Secret and starts the controllers anew has a new one.
 */
import { randomBytes, X509Certificate } from 'node:crypto'
import type { KubeObject } from '../kube/kube-api.ts'
import { Secret } from '../lib/secret.ts'
import { type CertificateAndKey, makeAuthority, makeClientLeaf, makeLeaf, type Validity } from '../x509/certificate.ts'
import type { GatewayPlan, PlanOwner } from './gateway-plan.ts'
import { withoutKept } from './kept-annotations.ts'
import { credentialsName, managedBy } from './proxy-manifests.ts'

const day = 24 * 60 * 60 * 1000
const authorityLife = 3_650 * day
const leafLife = 90 * day
/** Clocks differ a little. */
const backdate = 60 * 60 * 1000
const tlsType = 'kubernetes.io/tls'
const sessionKeyName = 'session.key'
const sessionKeyBytes = 32

/** PEM. */
export interface ServerCredentials {
  readonly certificate: string
  readonly key: Secret
  readonly authority: string
  /** Milliseconds since the epoch. */
  readonly renewAt: number
}

/** The Secret of a new authority. */
export function newAuthoritySecret(namespace: string, name: string, now: number): KubeObject {
  const { certificate, key } = makeAuthority('gatewright stream', validity(now, authorityLife))
  return secretOf({ namespace, name, labels: managedBy }, { 'tls.crt': certificate, 'tls.key': key })
}

export class StreamAuthority {
  readonly #authority: CertificateAndKey

  private constructor(authority: CertificateAndKey) {
    this.#authority = authority
  }

  /** Throws when the Secret does not hold what `newAuthoritySecret` made. */
  static of(secret: KubeObject): StreamAuthority {
    const certificate = valueIn(secret, 'tls.crt')
    const key = valueIn(secret, 'tls.key')
    if (certificate === undefined || key === undefined) {
      const { namespace = '', name } = secret.metadata
      throw new Error(
        `Cannot sign certificates of proxies: Secret ${namespace}/${name} must hold tls.crt and tls.key; delete it for a new one`,
      )
    }
    return new StreamAuthority({ certificate, key })
  }

  /** For a controller that answers under `name`. */
  server(name: string, now: number): ServerCredentials {
    const { certificate, key } = makeLeaf(this.#authority, [name], [], validity(now, leafLife))
    return { certificate, key: new Secret(key), authority: this.#authority.certificate, renewAt: renewalOf(certificate) }
  }

  /**
   * The Secret of a Gateway's proxies as it shall be: the one that is there while its certificate holds, else with a new
   * one. The key of sessions stays.
   */
  proxySecret(plan: GatewayPlan, owner: PlanOwner, identity: string, stored: KubeObject | undefined, now: number): KubeObject {
    const name = credentialsName(plan.name)
    const ownerReference = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      name: owner.name,
      uid: owner.uid,
      controller: true,
    }
    const metadata = {
      namespace: plan.namespace,
      name,
      labels: { ...plan.labels, ...managedBy },
      annotations: withoutKept(plan.annotations),
      ownerReferences: [ownerReference],
    }
    // One of a Gateway that was deleted opens sessions of another one's users.
    const isOwn = stored?.metadata.ownerReferences?.some(({ uid }) => uid === owner.uid) === true
    const session =
      (stored !== undefined && isOwn ? valueIn(stored, sessionKeyName) : undefined) ?? randomBytes(sessionKeyBytes).toString('base64')
    const kept = stored === undefined ? undefined : this.#keptIn(stored, identity, now)
    const { certificate, key } = kept ?? makeClientLeaf(this.#authority, 'gatewright proxy', identity, validity(now, leafLife))
    return secretOf(metadata, { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': this.#authority.certificate, [sessionKeyName]: session })
  }

  #keptIn(stored: KubeObject, identity: string, now: number): CertificateAndKey | undefined {
    const certificate = valueIn(stored, 'tls.crt')
    const key = valueIn(stored, 'tls.key')
    if (certificate === undefined || key === undefined || valueIn(stored, 'ca.crt') !== this.#authority.certificate) return undefined
    try {
      const parsed = new X509Certificate(certificate)
      const isOurs =
        parsed.subjectAltName === `URI:${identity}` && parsed.verify(new X509Certificate(this.#authority.certificate).publicKey)
      return isOurs && renewalOf(certificate) > now ? { certificate, key } : undefined
    } catch {
      return undefined
    }
  }
}

function validity(now: number, life: number): Validity {
  return { from: new Date(now - backdate), until: new Date(now + life) }
}

/** Milliseconds since the epoch. */
function renewalOf(certificate: string): number {
  const { validFrom, validTo } = new X509Certificate(certificate)
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
  return to - (to - from) / 3
}

function secretOf(metadata: KubeObject['metadata'], values: Readonly<Record<string, string>>): KubeObject {
  const data = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Buffer.from(value).toString('base64')]))
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: tlsType, data }
}

function valueIn(secret: KubeObject, name: string): string | undefined {
  const data = secret['data']
  const value = typeof data === 'object' && data !== null ? (data as Readonly<Record<string, unknown>>)[name] : undefined
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : undefined
}
