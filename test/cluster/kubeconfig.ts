/** Kubeconfig files of one cluster and one user, as JSON, which is YAML. */
import { readFileSync } from 'node:fs'
import type { Credentials } from './api-client.ts'

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } }[]
  readonly users: readonly {
    readonly user: { readonly 'client-certificate-data'?: string; readonly 'client-key-data'?: string; readonly token?: string }
  }[]
}

export function kubeconfigWithCertificate(server: string, ca: string, certificate: string, key: string): string {
  return kubeconfig(server, ca, { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) })
}

/** For another user of the same cluster. */
export function kubeconfigWithToken(admin: Credentials, token: string): string {
  return kubeconfig(admin.server, admin.ca, { token })
}

export function readKubeconfig(path: string): Credentials {
  const { clusters, users } = JSON.parse(readFileSync(path, 'utf8')) as Kubeconfig
  const cluster = clusters[0]?.cluster
  const user = users[0]?.user ?? {}
  if (cluster === undefined) throw new Error(`Cannot read ${path}: it must name a cluster`)
  return {
    server: cluster.server,
    ca: text(cluster['certificate-authority-data']),
    ...(user['client-certificate-data'] === undefined ? {} : { certificate: text(user['client-certificate-data']) }),
    ...(user['client-key-data'] === undefined ? {} : { key: text(user['client-key-data']) }),
    ...(user.token === undefined ? {} : { token: user.token }),
  }
}

function kubeconfig(server: string, ca: string, user: object): string {
  const name = 'gatewright-test'
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(ca) } }],
      users: [{ name, user }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    },
    null,
    2,
  )}\n`
}

function base64(value: string): string {
  return Buffer.from(value).toString('base64')
}

function text(value: string): string {
  return Buffer.from(value, 'base64').toString('utf8')
}
