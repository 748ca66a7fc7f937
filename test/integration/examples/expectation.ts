/** expect.yaml of an example, as examples/README.md describes it: read, sent, checked. */
import { readFileSync } from 'node:fs'
import { connect as connectTls } from 'node:tls'
import { expect } from 'vitest'
import { parse } from 'yaml'
import type { EchoAnswer } from '../../../src/standalone/echo.ts'
import { eventually } from '../../harness/eventually.ts'
import type { RawAnswer } from '../../harness/raw-client.ts'
import type { RunningGateway } from '../../harness/running-gateway.ts'
import { DatagramPeer, StreamClient } from '../../harness/streams.ts'
import { WebSocketClient } from '../../harness/web-socket-client.ts'

export interface Expectation {
  /** `METHOD URL`, without the port that a listener was moved to. */
  readonly request: string
  readonly headers?: Readonly<Record<string, string>>
  /** Do not verify the certificate. */
  readonly insecure?: boolean
  readonly times?: number
  readonly send?: readonly string[]
  readonly expect: {
    readonly status: number
    /** Of an answer that the gateway gives itself: the word after the status in its text. */
    readonly flag?: string
    readonly service?: string
    readonly shares?: Readonly<Record<string, number>>
    readonly headers?: Readonly<Record<string, string>>
    readonly echo?: Readonly<Record<string, unknown>>
    readonly absent?: readonly string[]
  }
}

/** One connection, or one datagram: what is sent, and all that comes back. */
export interface StreamExpectation {
  readonly listener: string
  /** For a listener of protocol TLS. */
  readonly serverName?: string
  readonly send: string
  readonly expect: string
  /** For a person: does the same. */
  readonly command: string
}

/** What runs beside the gateway. */
export interface Beside {
  /** A file of the example; it gets its port as the argument and prints `listens on PORT`. */
  readonly script: string
  /** `namespace/name:port` of the Service in whose place it runs. */
  readonly service?: string
  /** Where the manifests look for it, as they are written. */
  readonly port?: number
}

export function readBeside(file: string): Beside | undefined {
  return (parse(readFileSync(file, 'utf8')) as { beside?: Beside }).beside
}

const fileKeys = new Set(['requests', 'streams', 'beside'])
const requestKeys = new Set(['request', 'headers', 'insecure', 'times', 'send', 'expect'])
const streamKeys = new Set(['listener', 'serverName', 'send', 'expect', 'command'])
const answerKeys = new Set(['status', 'flag', 'service', 'shares', 'headers', 'echo', 'absent'])

/** A key that nobody knows is refused: what it says would never be checked. */
export function readExpectations(file: string): readonly Expectation[] {
  const { requests = [], ...rest } = parse(readFileSync(file, 'utf8')) as { requests?: readonly Expectation[] }
  const strange = Object.keys(rest).filter((key) => !fileKeys.has(key))
  if (strange.length > 0) throw new Error(`Cannot read ${file}: keys must be known, got ${strange.join(', ')}`)
  for (const one of requests) {
    const unknown = [
      ...Object.keys(one).filter((key) => !requestKeys.has(key)),
      ...Object.keys(one.expect).filter((key) => !answerKeys.has(key)),
    ]
    if (unknown.length > 0) throw new Error(`Cannot read ${file}: keys must be known, got ${unknown.join(', ')} in ${one.request}`)
  }
  return requests
}

export function readStreams(file: string): readonly StreamExpectation[] {
  const { streams = [] } = parse(readFileSync(file, 'utf8')) as { streams?: readonly StreamExpectation[] }
  const unknown = streams.flatMap((one) => Object.keys(one)).filter((key) => !streamKeys.has(key))
  if (unknown.length > 0) throw new Error(`Cannot read ${file}: keys must be known, got ${unknown.join(', ')}`)
  return streams
}

export async function checkStream(
  gateway: RunningGateway,
  { listener, serverName, send, expect: wanted }: StreamExpectation,
): Promise<void> {
  const { protocol, port } = gateway.listener(listener)
  if (protocol === 'UDP') {
    const client = await DatagramPeer.open()
    client.send(send, port)
    expect(await client.hears(1), listener).toEqual([wanted])
    return
  }
  const client =
    serverName === undefined
      ? await StreamClient.plain(port)
      : new StreamClient(connectTls({ port, host: '127.0.0.1', servername: serverName, ca: gateway.authority }))
  client.socket.write(send)
  await client.hears(wanted)
  client.socket.end()
  await eventually(() => client.closed || client.ended, 'the end of the connection')
  expect(client.text(), listener).toBe(wanted)
}

/** Sends the request as often as it says and holds every answer against what is expected. */
export async function checkExpectation(gateway: RunningGateway, wanted: Expectation): Promise<void> {
  const url = wanted.request.slice(wanted.request.indexOf(' ') + 1)
  const client = await gateway.connect(url, { insecure: wanted.insecure === true })
  const services = new Map<string, number>()
  for (let time = 0; time < (wanted.times ?? 1); time += 1) {
    const answer = wanted.send === undefined ? await ask(client, wanted, url) : await converse(new WebSocketClient(client), wanted, url)
    const { status, flag, service, headers = {}, echo, absent = [] } = wanted.expect
    expect(answer.status, wanted.request).toBe(status)
    if (flag !== undefined) expect(answer.body.split('\n')[0], wanted.request).toBe(`${status} ${flag}`)
    for (const [name, value] of Object.entries(headers)) expect(answer.headers.get(name), name).toBe(withPlace(value, gateway, url))
    if (answer.echo === undefined) {
      expect([service, echo], `${wanted.request} was answered by the gateway itself`).toEqual([undefined, undefined])
      continue
    }
    services.set(answer.echo.service, (services.get(answer.echo.service) ?? 0) + 1)
    if (service !== undefined) expect(answer.echo.service, wanted.request).toBe(service)
    if (echo !== undefined) expect(answer.echo, wanted.request).toMatchObject(echo)
    expect(
      Object.keys(answer.echo.headers).filter((name) => absent.includes(name)),
      'must be absent',
    ).toEqual([])
  }
  for (const [service, share] of Object.entries(wanted.expect.shares ?? {})) {
    expect(Math.abs((services.get(service) ?? 0) - share), `${service} got ${services.get(service)} of ${share}`).toBeLessThanOrEqual(1)
  }
}

type Answer = RawAnswer & { readonly echo: EchoAnswer | undefined }

async function ask(
  client: Awaited<ReturnType<RunningGateway['connect']>>,
  { request, headers }: Expectation,
  url: string,
): Promise<Answer> {
  const [method = ''] = request.split(' ')
  const { hostname, pathname, search } = new URL(url)
  client.send(`${method} ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\n${headerLines(headers).join('')}\r\n`)
  const answer = await client.answer()
  const isEcho = answer.status === 200 && answer.headers.get('content-type') === 'application/json'
  return { ...answer, echo: isEcho ? (JSON.parse(answer.body) as EchoAnswer) : undefined }
}

/** The first message tells what arrived, after it each one comes back. */
async function converse(socket: WebSocketClient, { send = [], headers }: Expectation, url: string): Promise<Answer> {
  const answer = await socket.upgrade(url, headerLines(headers))
  const echo = JSON.parse(await socket.message()) as EchoAnswer
  for (const text of send) {
    socket.send(text)
    expect(await socket.message()).toBe(text)
  }
  return { ...answer, echo }
}

function headerLines(headers: Expectation['headers'] = {}): string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
}

/** `{:443}` is the port that 443 was moved to, and nothing where it was not. */
function withPlace(text: string, gateway: RunningGateway, url: string): string {
  if (!text.includes('{:443}')) return text
  const { port } = gateway.place(url.replace(/^http:/, 'https:'))
  return text.replace('{:443}', port === 443 ? '' : `:${port}`)
}
