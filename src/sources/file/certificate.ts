/** cert-manager's Certificate: the Secret that it would make in a cluster, which no file can hold. */
import type { Manifest } from './manifest.ts'
import { fieldsAt, groupOf, listAt, nameOf, textAt } from './manifest.ts'

export interface Certificate {
  readonly name: string
  readonly namespace: string
  readonly secretName: string
  readonly dnsNames: readonly string[]
  readonly file: string
}

export function readCertificate(manifest: Manifest, namespace: string, file: string): Certificate | undefined {
  if (manifest.kind !== 'Certificate' || groupOf(manifest.apiVersion) !== 'cert-manager.io') return undefined
  const spec = fieldsAt(manifest.value, 'spec')
  const secretName = textAt(spec, 'secretName')
  if (secretName === undefined) return undefined
  const dnsNames = listAt(spec, 'dnsNames').filter((name) => typeof name === 'string')
  const own = textAt(manifest.value['metadata'], 'namespace')
  return { name: nameOf(manifest), namespace: own ?? namespace, secretName, dnsNames, file }
}
