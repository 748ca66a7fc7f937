/** cert-manager's Certificate: the Secret that it would make in a cluster, which no file can hold. */
import type { FileReading } from './file-reading.ts'
import type { Manifest } from './manifest.ts'
import { fieldsAt, groupOf, listAt, nameOf, ownNamespaceOf, textAt } from './manifest.ts'

export interface Certificate {
  readonly name: string
  readonly namespace: string
  readonly secretName: string
  readonly dnsNames: readonly string[]
  readonly file: string
}

export function certificatesOf(readings: readonly FileReading[]): Certificate[] {
  const certificates: Certificate[] = []
  for (const { others, namespace, file } of readings) {
    for (const { manifest } of others) {
      const certificate = isCertificate(manifest) ? readCertificate(manifest, namespace, file.path) : undefined
      if (certificate) certificates.push(certificate)
    }
  }
  return certificates
}

function isCertificate({ apiVersion, kind }: Manifest): boolean {
  return kind === 'Certificate' && groupOf(apiVersion) === 'cert-manager.io'
}

function readCertificate(manifest: Manifest, namespace: string, file: string): Certificate | undefined {
  const spec = fieldsAt(manifest.value, 'spec')
  const secretName = textAt(spec, 'secretName')
  if (secretName === undefined) return undefined
  const dnsNames = listAt(spec, 'dnsNames').filter((name) => typeof name === 'string')
  return { name: nameOf(manifest), namespace: ownNamespaceOf(manifest) ?? namespace, secretName, dnsNames, file }
}
