/**
 * admin: what runs, told over HTTP on a port of its own, to people, probes, Prometheus and our own tools.
 *
 * It reads through functions that it is given and changes nothing: there is no request here that has an effect. It is
 * meant for loopback or a pod's network; against a browser that was led here under a foreign name (DNS rebinding) it
 * answers only to addresses and to `localhost`. In a cluster every pod can connect: documents, which tell of configurations and
 * tenants, are for loopback alone. Composition gives it its documents; it knows none of their shapes.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isIp, isLoopback } from '../lib/ip.ts'

export interface AdminSources {
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
  /** What keeps the process from being ready, in words; empty: it is. */
  readonly unready: () => readonly string[]
  /** JSON by path, as `/config`, `/statuses`, `/pools`, `/version`, for peers on loopback. Must be safe to print; a promise is waited for. */
  readonly documents: Readonly<Record<string, () => unknown>>
}

interface Page {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** For probes and Prometheus, wherever they come from. */
const openPaths = ['/healthz', '/readyz', '/metrics']

export class AdminServer {
  readonly #sources: AdminSources
  readonly #server: Server
  readonly #isNear: (peer: string) => boolean

  /** @param isNear of an address: it may read the documents */
  constructor(sources: AdminSources, isNear: (peer: string) => boolean = isLoopback) {
    this.#isNear = isNear
    this.#sources = sources
    this.#server = createServer((request, response) => {
      void this.#page(request).then(({ status, type, text }) => {
        response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store' })
        response.end(request.method === 'HEAD' ? undefined : text)
      })
    })
  }

  /** Resolves to the port that was opened (0 lets the system choose). Rejects with the system's error. */
  listen(address: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host: address, port }, () => {
        this.#server.off('error', reject)
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #page(request: IncomingMessage): Promise<Page> {
    try {
      return await this.#answer(request)
    } catch (error) {
      return plain(500, `Cannot answer: ${(error as Error).message}`)
    }
  }

  async #answer(request: IncomingMessage): Promise<Page> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'Cannot do that: the method must be GET or HEAD')
    if (!isOwnName(request.headers.host ?? '')) return plain(403, 'Cannot answer: Host must be an IP address or localhost')
    const { metrics, unready, documents } = this.#sources
    const [path = '/'] = (request.url ?? '/').split('?')
    if (path === '/healthz') return plain(200, 'ok')
    if (path === '/readyz') {
      const reasons = unready()
      return reasons.length === 0 ? plain(200, 'ok') : plain(503, reasons.join('\n'))
    }
    if (path === '/metrics') return { status: 200, type: metrics.contentType, text: await metrics.text() }
    if (!this.#isNear(request.socket.remoteAddress ?? ''))
      return plain(403, `Cannot answer: other paths than ${openPaths.join(', ')} are for loopback (\`kubectl port-forward\` leads there)`)
    const document = Object.hasOwn(documents, path) ? documents[path] : undefined
    if (document !== undefined)
      return { status: 200, type: 'application/json', text: `${JSON.stringify(await document(), undefined, 2)}\n` }
    const paths = [...openPaths, ...Object.keys(documents)].join('\n')
    return path === '/' ? plain(200, paths) : plain(404, `Cannot find ${JSON.stringify(path)}: the path must be one of\n${paths}`)
  }
}

function plain(status: number, text: string): Page {
  return { status, type: 'text/plain; charset=utf-8', text: `${text}\n` }
}

function isOwnName(host: string): boolean {
  const name = host.replace(/:\d*$/, '')
  return name === 'localhost' || isIp(name.startsWith('[') ? name.slice(1, -1) : name)
}
