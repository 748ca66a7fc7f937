/** Before anything is measured: every proxy answers right, and tells the backend what the others tell it. */
import { type IncomingHttpHeaders, request as askHttp } from 'node:http'
import { connect } from 'node:http2'
import { request as askHttps } from 'node:https'
import type { Contestant } from './contestants.ts'
import {
  doubtedPath,
  grpcHost,
  grpcMessage,
  grpcPath,
  grpcToldService,
  headerName,
  headerValue,
  host,
  largeBytes,
  largePath,
  secureHost,
  seenPath,
  smallBody,
  smallPath,
} from './workload.ts'

interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Throws when a proxy does other work than was asked for. */
export async function checkSameWork({ name, ports }: Contestant): Promise<void> {
  for (const scheme of ['http', 'https'] as const) {
    const fetch = (path: string, canary = true): Promise<Reply> =>
      ask(scheme, ports[scheme], path, { host, ...(canary && { [headerName]: headerValue }) })
    expect(name, 'a small GET', (await fetch(smallPath)).body, smallBody)
    expect(name, 'a large body', String((await fetch(largePath)).body.length), String(largeBytes))
    expect(name, 'a request without the header', String((await fetch(smallPath, false)).status), '404')
    expect(name, 'a path of no route', String((await fetch('/elsewhere')).status), '404')
    expectTold(name, scheme, host, (await fetch(seenPath)).body.trim())
  }
  await checkSecureBackend(name, ports.http)
  const small = await askHttp2(`https://127.0.0.1:${ports.https}`, 'GET', host, smallPath)
  expect(name, 'a small GET in HTTP/2', small.body.toString(), smallBody)
  const call = await askHttp2(`http://127.0.0.1:${ports.h2c}`, 'POST', grpcHost, grpcPath)
  expect(name, 'a gRPC call', `${call.body.equals(grpcMessage)} ${String(call.trailers['grpc-status'])}`, 'true 0')
  const seen = await askHttp2(`http://127.0.0.1:${ports.h2c}`, 'POST', grpcHost, `/${grpcToldService}/Say`)
  expectTold(name, 'http', grpcHost, String(seen.headers['seen']))
}

/** The backend over TLS is asked, and only where its certificate is for the name that is expected. */
async function checkSecureBackend(name: string, port: number): Promise<void> {
  const fields = { host: secureHost, [headerName]: headerValue }
  expect(name, 'a small GET to a backend over TLS', (await ask('http', port, smallPath, fields)).body, smallBody)
  const { status } = await ask('http', port, `${doubtedPath}/item`, fields)
  if (status < 502) throw new Error(`Cannot compare: ${name} must not ask a backend with a certificate for another name, got a ${status}`)
}

/** Envoy tells the machine's own address instead of a loopback one. */
function expectTold(name: string, scheme: 'http' | 'https', authority: string, seen: string): void {
  if (!new RegExp(`^${authority} [0-9.]+ ${scheme} [0-9a-f-]{32,36}$`).test(seen))
    throw new Error(`Cannot compare: ${name} must forward Host, X-Forwarded-For, X-Forwarded-Proto and X-Request-Id, got '${seen}'`)
}

function expect(name: string, what: string, got: string, wanted: string): void {
  if (got !== wanted)
    throw new Error(`Cannot compare: ${what} through ${name} must give '${wanted.trim()}', got '${got.slice(0, 80).trim()}'`)
}

export function ask(scheme: 'http' | 'https', port: number, path: string, headers: Readonly<Record<string, string>>): Promise<Reply> {
  const options = { host: '127.0.0.1', port, path, headers, agent: false, servername: host, rejectUnauthorized: false }
  return new Promise((resolve, reject) => {
    const request = (scheme === 'http' ? askHttp : askHttps)(options, (response) => {
      let body = ''
      response.setEncoding('latin1').on('data', (text: string) => (body += text))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      response.once('error', reject)
    })
    request.once('error', reject)
    request.end()
  })
}

interface Http2Reply {
  readonly headers: IncomingHttpHeaders
  readonly trailers: IncomingHttpHeaders
  readonly body: Buffer
}

/** @param method POST: a gRPC call */
function askHttp2(origin: string, method: 'GET' | 'POST', authority: string, path: string): Promise<Http2Reply> {
  return new Promise((resolve, reject) => {
    const session = connect(origin, { rejectUnauthorized: false })
    session.once('error', reject)
    const asGrpc = method === 'POST' ? { 'content-type': 'application/grpc', te: 'trailers' } : {}
    const fields = { ':method': method, ':path': path, ':authority': authority, [headerName]: headerValue, ...asGrpc }
    const stream = session.request(fields, { endStream: method === 'GET' })
    let headers: IncomingHttpHeaders = {}
    let trailers: IncomingHttpHeaders = {}
    const pieces: Buffer[] = []
    stream.once('response', (came) => (headers = came))
    stream.once('trailers', (came) => (trailers = came))
    stream.on('data', (bytes: Buffer) => pieces.push(bytes))
    stream.once('error', reject)
    stream.once('close', () => {
      session.close()
      resolve({ headers, trailers, body: Buffer.concat(pieces) })
    })
    if (method === 'POST') stream.end(grpcMessage)
  })
}
