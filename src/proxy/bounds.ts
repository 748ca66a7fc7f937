/**
 * Every bound of the data plane as one value: nothing waits or grows without one.
 * Times are milliseconds, sizes are bytes. Defaults are those of a gateway that faces strangers.
 */
export interface Bounds {
  /** Request line, 414 beyond. */
  readonly requestLine: number
  /** Request or response head with its first line, 431 (502 for a response) beyond. */
  readonly head: number
  /** Fields of a head, 431 (502) beyond. */
  readonly fields: number
  readonly clientHello: number
  readonly handshakeTime: number
  /** From the first byte of a request or response head to its last, 408 (504 for a response) beyond. */
  readonly headTime: number
  /** A keep-alive connection between two requests, and a new one before its first byte. */
  readonly clientIdleTime: number
  /** A request body from which no byte comes. */
  readonly bodyIdleTime: number
  /** Bytes a second that a request body must bring over each `bodyIdleTime`. */
  readonly bodyRate: number
  readonly connectTime: number
  /** A response body with a declared length from which no byte comes; others have `tunnelIdleTime`. */
  readonly upstreamIdleBodyTime: number
  /** An upstream connection that waits in its pool; less when the upstream says `Keep-Alive: timeout=N`. */
  readonly poolIdleTime: number
  /** Tunnels, event streams and responses without a length. */
  readonly tunnelIdleTime: number
  /** Bytes that the other side does not take. */
  readonly writeStuckTime: number
  readonly drainTime: number
  /** What is read and thrown away after a last answer, so that a reset does not swallow it. */
  readonly lingerBytes: number
  /** The same, in time; and what a new connection has for its first request when a drain begins. */
  readonly lingerTime: number
  /** What is read ahead from a client while an upstream works on its request. */
  readonly readAhead: number
  /** How long a body waits for the upstream's 100 (RFC 9110, section 10.1.1). */
  readonly continueTime: number
  /** Of clients, over all ports; 0: what the limit of file descriptors allows. */
  readonly connections: number
  readonly connectionsPerPort: number
  readonly connectionsPerEndpoint: number
  /** Requests in a row whose failure ejects an endpoint. */
  readonly ejectFailures: number
  /** The same for a share of the requests of 10 s, if they are 20 at least. */
  readonly ejectPercent: number
  /** How long an ejection lasts at first; it doubles with each that follows. */
  readonly ejectTime: number
  readonly ejectTimeMost: number
  /** Ejections are ignored while fewer than this share of a pool's endpoints is available. */
  readonly panicPercent: number
  /** Over which an endpoint that is new or back comes to its full share of requests; 0: at once. */
  readonly slowStartTime: number
  /** Bytes of a request's body that are kept for a retry; a longer one is not sent twice. */
  readonly retryBody: number
  /** Requests of a pool that may be in a retry, as a share of those that are under way. */
  readonly retryPercent: number
  /** The body of a mirrored request; beyond it no copy is sent. */
  readonly mirrorBody: number
  /** Heads and bodies of all copies that wait or are under way; beyond it no copy is sent. */
  readonly mirrorMemory: number
  /** From sending a copy to the end of its answer. */
  readonly mirrorTime: number
  /** From asking an authorisation server to its answer: 504 beyond. */
  readonly authTime: number
  /** Resident memory from which new requests get 503; 0: none. */
  readonly memory: number
}

export const defaultBounds: Bounds = {
  requestLine: 16 * 1024,
  head: 64 * 1024,
  fields: 128,
  clientHello: 16 * 1024,
  handshakeTime: 10_000,
  headTime: 10_000,
  clientIdleTime: 75_000,
  bodyIdleTime: 30_000,
  bodyRate: 500,
  connectTime: 5_000,
  upstreamIdleBodyTime: 60_000,
  poolIdleTime: 4_000,
  tunnelIdleTime: 3_600_000,
  writeStuckTime: 30_000,
  drainTime: 30_000,
  lingerBytes: 64 * 1024,
  lingerTime: 1_000,
  readAhead: 16 * 1024,
  continueTime: 1_000,
  connections: 0,
  connectionsPerPort: 20_000,
  connectionsPerEndpoint: 1_024,
  ejectFailures: 3,
  ejectPercent: 50,
  ejectTime: 1_000,
  ejectTimeMost: 10_000,
  panicPercent: 30,
  slowStartTime: 0,
  retryBody: 64 * 1024,
  retryPercent: 20,
  mirrorBody: 64 * 1024,
  mirrorMemory: 16 * 1024 * 1024,
  mirrorTime: 30_000,
  authTime: 10_000,
  memory: 0,
}
