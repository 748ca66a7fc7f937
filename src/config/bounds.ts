/**
 * Every bound of the data plane in one schema: nothing waits or grows without one. Flags, `gatewright.yaml` and whatever
 * else sets bounds read it through `parseBound`; docs/wire.md prints it. Defaults are those of a gateway that faces strangers.
 */
export type BoundUnit = 'ms' | 'bytes' | 'bytes/s' | 'items' | 'percent'

export interface BoundRule {
  readonly unit: BoundUnit
  readonly initial: number
  readonly least: number
  readonly most: number
  /** A sentence for the page of bounds. */
  readonly says: string
}

const day = 24 * 60 * 60 * 1000
const mebi = 1024 * 1024

const time = (initial: number, least: number, says: string): BoundRule => ({ unit: 'ms', initial, least, most: 365 * day, says })
const size = (initial: number, least: number, most: number, says: string): BoundRule => ({ unit: 'bytes', initial, least, most, says })
const items = (initial: number, least: number, most: number, says: string): BoundRule => ({ unit: 'items', initial, least, most, says })
const percent = (initial: number, says: string): BoundRule => ({ unit: 'percent', initial, least: 0, most: 100, says })

/** Buffers are made of these. */
const mostHeld = 1024 * mebi
const mostOfAll = 2 ** 40
const many = 1_000_000
/** RFC 9113 section 6.9.1. */
const largestWindow = 2 ** 31 - 1

export const boundSchema = {
  requestLine: size(16 * 1024, 16, 16 * mebi, 'Request line, 414 beyond.'),
  head: size(
    64 * 1024,
    128,
    16 * mebi,
    'Request or response head with its first line, after HPACK in HTTP/2: 431 (502 for a response) beyond.',
  ),
  fields: items(128, 4, 65_536, 'Fields of a head, 431 (502) beyond.'),
  trailers: size(8 * 1024, 64, 16 * mebi, 'The trailers of a message, 400 (502 for those of a response) beyond, or the answer breaks off.'),
  trailerFields: items(128, 1, 65_536, 'The same in fields.'),
  chunkExtension: size(256, 0, 16 * mebi, 'The extension of a chunk with the white space before it, 400 (502) beyond.'),
  chunkExtensions: size(16 * 1024, 0, mostHeld, 'The extensions of all chunks of a body, 400 (502) beyond.'),
  interimAnswers: items(10, 0, many, 'Answers 1xx before the final one, 502 beyond.'),
  requestBody: size(0, 0, mostOfAll, 'Request body, 413 beyond; 0: any.'),
  clientHello: size(16 * 1024, 512, 16 * mebi, 'The first message of TLS, with the headers of its records; closed beyond.'),
  handshakeTime: time(
    10_000,
    1,
    'From accepting a connection to the end of its TLS handshake; and before that to the end of its header of the PROXY protocol.',
  ),
  proxyHeader: size(4 * 1024, 536, 65_551, 'A header of version 2 of the PROXY protocol; closed beyond.'),
  headTime: time(10_000, 1, 'From the first byte of a request or response head to its last, 408 (504 for a response) beyond.'),
  clientIdleTime: time(75_000, 1, 'A keep-alive connection between two requests, and a new one before its first byte.'),
  bodyIdleTime: time(30_000, 1, 'A request body from which no byte comes.'),
  bodyRate: {
    unit: 'bytes/s',
    initial: 500,
    least: 0,
    most: mostHeld,
    says: 'What a request body must bring over each body-idle-time.',
  },
  connectTime: time(5_000, 1, 'Establishing a connection to an endpoint; then another endpoint is tried.'),
  endpointsTried: items(4, 1, 1_000, 'Endpoints that a request without `retry` may find closed before its client hears of it.'),
  upstreamIdleBodyTime: time(60_000, 1, 'A response body with a declared length from which no byte comes; others have tunnel-idle-time.'),
  poolIdleTime: time(4_000, 0, 'An upstream connection that waits in its pool; less when the upstream says `Keep-Alive: timeout=N`.'),
  tunnelIdleTime: time(
    3_600_000,
    1,
    'Tunnels, event streams, gRPC, responses without a length, and connections of TCPRoutes and TLSRoutes.',
  ),
  writeStuckTime: time(30_000, 1, 'Bytes that the other side does not take, the window of an HTTP/2 stream included.'),
  udpIdleTime: time(60_000, 1, 'A UDP session without a datagram in either direction.'),
  udpSessions: items(10_000, 1, many, 'UDP sessions of a port, a socket each; the one that was silent longest ends for one more.'),
  drainTime: time(30_000, 0, 'How long a port that is gone, or a process that ends, lets what is under way go on.'),
  lingerBytes: size(64 * 1024, 0, mostHeld, 'What is read and thrown away after a last answer, so that a reset does not swallow it.'),
  lingerTime: time(1_000, 0, 'The same, in time; and what a new connection has for its first request when a drain begins.'),
  readAhead: size(16 * 1024, 0, mostHeld, 'What is read ahead from a client while an upstream works on its request.'),
  unsent: size(64 * 1024, 1, mostHeld, 'What waits for a peer that is slow to take it before the other side is paused.'),
  continueTime: time(1_000, 0, "How long a body waits for the upstream's 100 (RFC 9110, section 10.1.1)."),
  connections: items(
    0,
    0,
    many,
    'Connections of clients over all ports; those beyond are closed at once; 0: about half of the limit of file descriptors.',
  ),
  connectionsPerPort: items(20_000, 1, many, 'The same for one port; those beyond are closed at once.'),
  connectionsPerEndpoint: items(1_024, 1, many, 'Connections to an endpoint; a request that would need one more gets 503.'),
  connectionsUpstream: items(
    0,
    0,
    many,
    'Connections to all endpoints; a request that would need one more gets 503; 0: about half of the limit of file descriptors.',
  ),
  requests: items(20_000, 1, 10 * many, 'Requests and streams under way over all connections, some 15 KiB each; those beyond get 503.'),
  memory: size(0, 0, mostOfAll, 'Resident memory from which new requests get 503; 0: none.'),
  http2Streams: items(
    128,
    1,
    many,
    "Streams of a client's connection at a time; those beyond end a connection that knows of it, and get REFUSED_STREAM before.",
  ),
  http2RefusedStreams: items(100, 1, many, 'Streams that http2-memory has no room for; the connection ends beyond.'),
  http2UpstreamStreams: items(100, 1, many, 'Streams of a connection to an endpoint at a time, where that one allows as many.'),
  http2StreamWindow: size(64 * 1024, 1_024, largestWindow, 'What either peer may send on a stream before the gateway has passed it on.'),
  http2ConnectionWindow: size(mebi, 65_535, largestWindow, 'The same for all streams of a connection.'),
  http2Memory: size(
    16_000_000,
    1_000_000,
    mostHeld,
    "What the streams of a client's connection may hold, 1 KiB for each of them included; then new ones get ENHANCE_YOUR_CALM.",
  ),
  http2UpstreamMemory: size(
    64_000_000,
    1_000_000,
    mostHeld,
    'The same for a connection to an endpoint; then new requests get another connection.',
  ),
  http2CountTime: time(10_000, 1, 'Over which resets, pings, settings and overhead are counted.'),
  http2Resets: items(100, 1, many, 'Streams without a complete answer, whoever reset them; GOAWAY beyond.'),
  http2Pings: items(1_000, 1, many, 'Pings; GOAWAY beyond.'),
  http2Settings: items(100, 1, many, 'SETTINGS; GOAWAY beyond.'),
  http2Overhead: size(mebi, 1_024, mostHeld, 'Bytes that belong to no request, beyond what goes with what was exchanged; GOAWAY beyond.'),
  http2UselessFrames: items(
    100,
    1,
    many,
    'Empty DATA, frames that RFC 9113 forbids and streams beyond http2-streams, on a connection; it ends beyond.',
  ),
  http2NoticeTime: time(1_000, 0, 'Between the notice that a connection will close and the last stream that it takes.'),
  ejectFailures: items(3, 1, many, 'Requests in a row whose failure ejects an endpoint.'),
  ejectPercent: percent(50, 'The same for a share of the requests of 10 s, if they are 20 at least.'),
  ejectTime: time(1_000, 1, 'How long an ejection lasts at first; it doubles with each that follows.'),
  ejectTimeMost: time(10_000, 1, 'The longest ejection.'),
  panicPercent: percent(30, "Ejections are ignored while a smaller share of a pool's endpoints is available."),
  slowStartTime: time(0, 0, 'Over which an endpoint that is new or back comes to its full share of requests; 0: at once.'),
  retryBody: size(64 * 1024, 0, mostHeld, "Bytes of a request's body that are kept for a retry; a longer one is not sent twice."),
  retryPercent: percent(20, 'Requests of a pool that may be in a retry, as a share of those under way.'),
  nameTime: time(2_000, 1, "A question for the addresses of an XBackend's hostname to one server; each is asked twice."),
  nameTtlLeast: time(5_000, 1, 'The shortest time after which a hostname is looked up again, whatever the time to live of its addresses.'),
  nameTtlMost: time(300_000, 1, 'The longest one.'),
  nameAddresses: items(64, 1, 10_000, 'Addresses of a hostname that are used, the first in their order.'),
  mirrorBody: size(64 * 1024, 0, mostHeld, 'The body of a mirrored request; beyond it no copy is sent.'),
  mirrorMemory: size(16 * mebi, 0, mostOfAll, 'Heads and bodies of all copies that wait or are under way; beyond it no copy is sent.'),
  mirrorTime: time(30_000, 1, 'From sending a copy to the end of its answer.'),
  authTime: time(10_000, 1, 'From asking an authorisation server to its answer, 504 beyond.'),
  authReply: size(mebi, 64, mostHeld, 'The reply of an authorisation server that is asked in gRPC; beyond it nothing passes.'),
} satisfies Readonly<Record<string, BoundRule>>

/** Times are milliseconds, sizes bytes. */
export type Bounds = { readonly [Name in keyof typeof boundSchema]: number }

const rules = new Map<string, BoundRule>(Object.entries(boundSchema))

export const defaultBounds = Object.fromEntries([...rules].map(([key, { initial }]) => [key, initial])) as unknown as Bounds

/** The name by which users set a bound: `headTime` is `head-time`. */
export function boundName(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

const keys = new Map([...rules.keys()].map((key) => [boundName(key), key]))

/**
 * One bound as a user wrote it, ready to be spread over `defaultBounds`.
 * Throws an Error whose message is fit for the user when there is no such bound, or the value is not within its range.
 */
export function parseBound(name: string, value: string): Partial<Bounds> {
  const key = keys.get(name)
  const rule = rules.get(key ?? '')
  if (key === undefined || rule === undefined)
    throw new Error(`Cannot set a bound: its name must be one of ${[...keys.keys()].join(', ')}, got ${name}`)
  const number = /^\d{1,15}$/.test(value) ? Number(value) : -1
  if (number < rule.least || number > rule.most)
    throw new Error(
      `Cannot set the bound ${name}: it must be a whole number from ${rule.least} to ${rule.most} (${unitWords[rule.unit]}), got ${value === '' ? 'nothing' : value}`,
    )
  return { [key]: number }
}

const unitWords: Readonly<Record<BoundUnit, string>> = {
  ms: 'milliseconds',
  bytes: 'bytes',
  'bytes/s': 'bytes a second',
  items: 'a count',
  percent: 'percent',
}
