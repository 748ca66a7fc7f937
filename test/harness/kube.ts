/** A scripted API server and clients of it, closed when the test ends. */
import { onTestFinished } from 'vitest'
import { KubeClient, type ClientOptions } from '../../src/kube/client.ts'
import type { Access, Credentials } from '../../src/kube/credentials.ts'
import { delay } from '../../src/kube/delay.ts'
import type { KubeObject } from '../../src/kube/kube-api.ts'
import type { ServedResource } from './api-server/resources.ts'
import { ScriptedApi } from './api-server/scripted-api.ts'

export async function scriptedApi(resources?: readonly ServedResource[]): Promise<ScriptedApi> {
  const api = await ScriptedApi.start(resources)
  onTestFinished(() => api.close())
  return api
}

export function plainCredentials(server: string, headers: Readonly<Record<string, string>> = {}): Credentials {
  const access: Access = { headers, tls: {} }
  return { server, namespace: undefined, proxy: undefined, access: () => Promise.resolve(access), refused: () => {} }
}

/** Its pauses are short unless it is told otherwise. */
export function clientOf(api: ScriptedApi, options: Partial<ClientOptions> = {}): KubeClient {
  const client = new KubeClient({
    credentials: plainCredentials(api.url),
    userAgent: 'gatewright/test',
    random: () => 0,
    delay: (milliseconds) => delay(milliseconds / 20),
    ...options,
  })
  onTestFinished(() => client.close())
  return client
}

export function serviceObject(name: string, port = 80, namespace = 'shop'): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { ports: [{ port }] } }
}
