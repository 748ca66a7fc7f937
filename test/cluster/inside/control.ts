/** The Unix socket by which tests stop and start components from outside the namespaces or inside: see Cluster in cluster.ts. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Component } from './component.ts'

/** Resolves when it listens. */
export function serveControl(socketPath: string, components: readonly Component[]): Promise<void> {
  const server = createServer((request, response) => {
    act(request.method ?? '', request.url ?? '', components).then(
      (text) => response.writeHead(200).end(text),
      (error: unknown) => response.writeHead(400).end((error as Error).message),
    )
  })
  return new Promise((resolve, reject) => {
    server.on('error', reject).listen(socketPath, resolve)
  })
}

async function act(method: string, path: string, components: readonly Component[]): Promise<string> {
  if (method === 'GET' && path === '/memory') return JSON.stringify(memoryOf(components))
  const [, name, verb] = /^\/components\/([\w-]+)\/(stop|start)$/.exec(path) ?? []
  const component = components.find((one) => one.name === name)
  if (method !== 'POST' || component === undefined)
    throw new Error(`Cannot ${method} ${path}: it must name one of ${components.map((one) => one.name).join(', ')}`)
  if (verb === 'start') component.start()
  else await component.stop()
  return ''
}

function memoryOf(components: readonly Component[]): Readonly<Record<string, number>> {
  const running = components.flatMap(({ name, pid }) => (pid === undefined ? [] : [[name, residentBytes(pid)] as const]))
  return Object.fromEntries([...running, ['node', process.memoryUsage.rss()]])
}

function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kibibytes ?? 0) * 1024
}
