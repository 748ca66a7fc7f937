/** One request through the data plane, over HTTP/1.1 or HTTP/2, and what the suite looks at: the answer, and what the backend says it received. */
import { request as requestHttp, type Agent, type IncomingMessage } from 'node:http'
import { request as requestHttps, type Agent as TlsAgent } from 'node:https'
import { type Echo, pairs } from './echo-pod.ts'
import type { Http2Sessions } from './http2-sessions.ts'

export interface Target {
  /** On loopback. */
  readonly port: number
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly host: string
  readonly fields: readonly (readonly [string, string])[]
  readonly tls?: { readonly authority: string; readonly serverName: string }
  readonly version: HttpVersion
}

export type HttpVersion = 'HTTP/1.1' | 'HTTP/2'

export interface Exchange {
  readonly status: number
  readonly fields: readonly (readonly [string, string])[]
  /** Absent unless a backend answered. */
  readonly echo?: Echo
}

/** As it came. */
export interface Response extends Omit<Exchange, 'echo'> {
  readonly body: string
}

export interface Agents {
  readonly http: Agent
  readonly https: TlsAgent
  readonly http2: Http2Sessions
}

export async function exchange(target: Target, agents: Agents): Promise<Exchange> {
  const { status, fields, body } = target.version === 'HTTP/2' ? await agents.http2.request(target) : await requestHttp1(target, agents)
  // The answer to a preflight has no body.
  return { status, fields, ...(status === 200 && body !== '' && { echo: JSON.parse(body) as Echo }) }
}

async function requestHttp1({ port, method, path, host, fields, tls }: Target, agents: Agents): Promise<Response> {
  const options = { host: '127.0.0.1', port, method, path, setHost: false, headers: ['Host', host, ...fields.flat()] }
  const sent =
    tls === undefined
      ? requestHttp({ ...options, agent: agents.http })
      : requestHttps({
          ...options,
          agent: agents.https,
          ca: tls.authority,
          servername: tls.serverName,
          // The suite's certificates are for `*`, which no client takes for a name.
          checkServerIdentity: () => undefined,
        })
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve)
    sent.on('error', reject)
    sent.end()
  })
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += String(chunk)
  return { status: response.statusCode ?? 0, fields: pairs(response.rawHeaders), body }
}

/** Values of equal names as the suite's client joins them; undefined when there is none. */
export function fieldOf(fields: readonly (readonly [string, string])[], name: string): string | undefined {
  const values = fields.filter(([one]) => one.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(',')
}
