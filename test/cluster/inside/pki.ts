/** The cluster's certificates: an authority, the API server, an administrator, the node; and the key of ServiceAccounts' tokens. */
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { API_PORT, API_SERVICE, NODE } from '../addresses.ts'
import { kubeconfigWithCertificate } from '../kubeconfig.ts'
import { runTool } from './run-tool.ts'

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30']

export interface Pki {
  readonly folder: string
  /** A kubeconfig file's content. */
  readonly admin: string
}

export async function makePki(folder: string): Promise<Pki> {
  const at = (name: string): string => join(folder, name)
  await runTool('openssl', ['req', '-x509', ...KEY, '-subj', '/CN=cluster', '-keyout', at('ca.key'), '-out', at('ca.crt')])
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local']
  const addresses = ['127.0.0.1', NODE, API_SERVICE]
  const alternatives = [...names.map((name) => `DNS:${name}`), ...addresses.map((address) => `IP:${address}`)].join(',')
  const leaf = (name: string, subject: string, extension: string): Promise<string> =>
    runTool('openssl', [
      'req',
      '-x509',
      ...KEY,
      `-CA=${at('ca.crt')}`,
      `-CAkey=${at('ca.key')}`,
      `-subj=${subject}`,
      '-addext=basicConstraints=CA:FALSE',
      `-addext=${extension}`,
      `-keyout=${at(`${name}.key`)}`,
      `-out=${at(`${name}.crt`)}`,
    ])
  await Promise.all([
    leaf('apiserver', '/CN=kube-apiserver', `subjectAltName=${alternatives}`),
    leaf('node', '/CN=node', `subjectAltName=IP:${NODE}`),
    leaf('admin', '/O=system:masters/CN=admin', 'extendedKeyUsage=clientAuth'),
  ])
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(at('sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  writeFileSync(at('sa.key'), privateKey.export({ type: 'sec1', format: 'pem' }))
  const read = (name: string): string => readFileSync(at(name), 'utf8')
  const admin = kubeconfigWithCertificate(`https://127.0.0.1:${API_PORT}`, read('ca.crt'), read('admin.crt'), read('admin.key'))
  return { folder, admin }
}
