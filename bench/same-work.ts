/** Before anything is measured: every proxy answers right, and tells the backend what the others tell it. */
import { request as askHttp } from 'node:http'
import { request as askHttps } from 'node:https'
import type { Contestant } from './contestants.ts'
import { headerName, headerValue, host, largeBytes, largePath, seenPath, smallPath } from './workload.ts'

interface Reply {
  readonly status: number
  readonly body: string
}

/** Throws when a proxy does other work than was asked for. */
export async function checkSameWork({ name, ports }: Contestant): Promise<void> {
  for (const scheme of ['http', 'https'] as const) {
    const fetch = (path: string, canary = true): Promise<Reply> => ask(scheme, ports[scheme], path, canary)
    expect(name, 'a small GET', (await fetch(smallPath)).body, 'hello from the backend\n')
    expect(name, 'a large body', String((await fetch(largePath)).body.length), String(largeBytes))
    expect(name, 'a request without the header', String((await fetch(smallPath, false)).status), '404')
    expect(name, 'a path of no route', String((await fetch('/elsewhere')).status), '404')
    // Envoy tells the machine's own address instead of a loopback one.
    const seen = (await fetch(seenPath)).body.trim()
    if (!new RegExp(`^${host} [0-9.]+ ${scheme} [0-9a-f-]{32,36}$`).test(seen))
      throw new Error(`Cannot compare: ${name} must forward Host, X-Forwarded-For, X-Forwarded-Proto and X-Request-Id, got '${seen}'`)
  }
}

function expect(name: string, what: string, got: string, wanted: string): void {
  if (got !== wanted)
    throw new Error(`Cannot compare: ${what} through ${name} must give '${wanted.trim()}', got '${got.slice(0, 80).trim()}'`)
}

function ask(scheme: 'http' | 'https', port: number, path: string, canary: boolean): Promise<Reply> {
  const headers = { host, ...(canary && { [headerName]: headerValue }) }
  const options = { host: '127.0.0.1', port, path, headers, agent: false, servername: host, rejectUnauthorized: false }
  return new Promise((resolve, reject) => {
    const request = (scheme === 'http' ? askHttp : askHttps)(options, (response) => {
      let body = ''
      response.setEncoding('latin1').on('data', (text: string) => (body += text))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.once('error', reject)
    })
    request.once('error', reject)
    request.end()
  })
}
