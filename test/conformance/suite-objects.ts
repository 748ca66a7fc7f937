/** What the suite makes in Go before its first test: the class, and Secrets with certificates of its own. */
import { makeAuthority, makeLeaf } from '../../src/x509/certificate.ts'
import type { Manifest } from './suite-module.ts'

export const CLASS = 'gatewright'
export const CONTROLLER = 'gatewright.dev/gateway-controller'
export const INFRA = 'gateway-conformance-infra'
export const APP = 'gateway-conformance-app-backend'
export const WEB = 'gateway-conformance-web-backend'

const day = 24 * 60 * 60 * 1000

const certificates = [
  { namespace: WEB, name: 'certificate', hosts: ['*'] },
  { namespace: INFRA, name: 'tls-validity-checks-certificate', hosts: ['*', '*.org', '*.wildcard.org'] },
] as const

export interface SuiteObjects {
  readonly manifests: readonly Manifest[]
  /** PEM: whom clients trust. */
  readonly authority: string
}

export function suiteObjects(): SuiteObjects {
  const validity = { from: new Date(Date.now() - day), until: new Date(Date.now() + day) }
  const authority = makeAuthority('conformance', validity)
  const secrets = certificates.map(({ namespace, name, hosts }) => {
    const leaf = makeLeaf(authority, hosts, [], validity)
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': base64(leaf.certificate), 'tls.key': base64(leaf.key) },
    }
  })
  const gatewayClass = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: CLASS },
    spec: { controllerName: CONTROLLER },
  }
  return { manifests: [gatewayClass, ...secrets], authority: authority.certificate }
}

/** Addresses that can be asked for and had, or not. */
export const addresses = { PLACEHOLDER_USABLE_ADDRS: '203.0.113.1', PLACEHOLDER_UNUSABLE_ADDRS: '203.0.113.2' } as const

/** What the suite writes over when it applies a manifest. */
export function prepared(manifest: Manifest): Manifest {
  const spec = manifest['spec'] as object
  if (manifest.kind === 'Gateway') {
    const named = JSON.stringify({ ...spec, gatewayClassName: CLASS }).replaceAll(
      /PLACEHOLDER_(?:UN)?USABLE_ADDRS/g,
      (placeholder) => addresses[placeholder as keyof typeof addresses],
    )
    return { ...manifest, spec: JSON.parse(named) as unknown }
  }
  if (manifest.kind === 'GatewayClass') return { ...manifest, spec: { ...spec, controllerName: CONTROLLER } }
  return manifest
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
