/** What the API server asks a kubelet for: `GET /containerLogs/NAMESPACE/POD/CONTAINER`, over HTTPS. Nothing else is served. */
import { createServer } from 'node:https'
import type { ServerResponse } from 'node:http'
import { KUBELET_PORT, NODE } from '../addresses.ts'
import type { ContainerLog, LogQuery } from './container-log.ts'

type FindLog = (namespace: string, pod: string, container: string, previous: boolean) => ContainerLog | undefined

/** Resolves when it listens. */
export function serveLogs(certificate: string, key: string, find: FindLog): Promise<void> {
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://node')
    const [, what, namespace = '', pod = '', container = ''] = url.pathname.split('/').map(decodeURIComponent)
    if (what !== 'containerLogs') {
      response.writeHead(501).end(`Cannot do ${url.pathname}: this node serves containerLogs only\n`)
      return
    }
    const log = find(namespace, pod, container, url.searchParams.get('previous') === 'true')
    if (log === undefined) response.writeHead(404).end(`container ${container} of pod ${namespace}/${pod} has not run here\n`)
    else answer(log, url.searchParams, response)
  })
  return new Promise((resolve, reject) => {
    server.on('error', reject).listen(KUBELET_PORT, NODE, resolve)
  })
}

function answer(log: ContainerLog, parameters: URLSearchParams, response: ServerResponse): void {
  const query = queryOf(parameters)
  response.writeHead(200, { 'content-type': 'text/plain' })
  response.write(log.read(query))
  if (parameters.get('follow') !== 'true') {
    response.end()
    return
  }
  const stop = log.follow(query, (line) => (line === undefined ? response.end() : response.write(line)))
  response.on('close', stop)
}

function queryOf(parameters: URLSearchParams): LogQuery {
  const number = (name: string): number | undefined => {
    const text = parameters.get(name)
    return text === null ? undefined : Number(text)
  }
  const seconds = number('sinceSeconds')
  const time = parameters.get('sinceTime')
  const tailLines = number('tailLines')
  return {
    ...(seconds === undefined ? {} : { since: Date.now() - seconds * 1000 }),
    ...(time === null ? {} : { since: Date.parse(time) }),
    ...(tailLines === undefined ? {} : { tailLines }),
    timestamps: parameters.get('timestamps') === 'true',
  }
}
