/** What all proxies get: a hundred prefix routes with a header match, one host, one backend; the same to a backend over TLS, and for gRPC; and a WebSocket. */

/** Our rows. */
export const ours = 'gatewright'
export const withAccessLog = 'gatewright, access log'

export const host = 'bench.example.com'
export const routes = Array.from({ length: 100 }, (_, i) => `/r${i}`)
export const headerName = 'x-env'
export const headerValue = 'canary'
export const backendPort = 19100

/** What is asked for: in the middle of the table, below the prefix. */
export const smallPath = '/r57/item'
export const smallBody = 'hello from the backend\n'
export const largePath = '/r57/large'
export const largeBytes = 65_536
/** The backend answers with what it was told of the client. */
export const seenPath = '/r57/seen'

/** The same routes, to a backend that is asked over TLS and whose certificate names `host`. */
export const secureHost = 'secure.example.com'
export const secureBackendPort = 19104
/** A route of `secureHost` that expects another name in that certificate: it must not be served. */
export const doubtedPath = '/doubted'
export const doubtedName = 'doubted.example.com'

export const grpcHost = 'grpc.example.com'
/** Full names of a hundred services, all of one backend. */
export const grpcServices = Array.from({ length: 100 }, (_, i) => `bench.Service${i}`)
export const grpcBackendPort = 19101
/** The service that answers with what it was told of the client. */
export const grpcToldService = 'bench.Told'
export const grpcToldPort = 19103
export const grpcPath = '/bench.Service57/Say'
/** A message of ten bytes, uncompressed, with its length before it (gRPC over HTTP/2, Length-Prefixed-Message). */
export const grpcMessage = Buffer.concat([Buffer.from([0, 0, 0, 0, 10]), Buffer.from('0123456789')])

export const webSocketPath = '/websocket'
export const webSocketBackendPort = 19102
export const webSocketPayload = Buffer.alloc(125, 'm')

/** Where a proxy listens. */
export interface Ports {
  readonly http: number
  /** HTTP/1.1 and HTTP/2, by ALPN. */
  readonly https: number
  /** HTTP/2 by prior knowledge; some tell it from HTTP/1.1 on one port. */
  readonly h2c: number
}

/** PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}
