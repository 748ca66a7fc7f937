/**
 * One line of the access log: what came, where it went, what went back, and why the answer was ours when it was. A connection of a TCPRoute or
 * TLSRoute and a session of a UDPRoute have one each, at their end: without method, target and status, `host` is the server name.
 */
export interface AccessRecord {
  /** When the first byte of the request's head was handled, milliseconds since the epoch. */
  readonly time: number
  /** To the last byte of the answer, milliseconds. */
  readonly duration: number
  readonly requestId: string
  /** Address of the peer, or of whom its header of the PROXY protocol names; what requests say about others is in no field. */
  readonly client: string
  readonly scheme: 'http' | 'https' | ''
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2' | StreamProtocol
  /** Byte strings, as the client spelled them; '' when the head could not be read. */
  readonly method: string
  readonly host: string
  readonly target: string
  /** 0: the exchange ended without an answer. */
  readonly status: number
  readonly flag: AnswerFlag
  /** Type of the filter that answered in place of the backend, as the API calls it (`RequestRedirect`, `CORS`, `ExternalAuth`); '' for none. */
  readonly filter: string
  /** Bytes of bodies, without framing. */
  readonly requestBytes: number
  readonly responseBytes: number
  /** Key of the listener, the route (`HTTPRoute/namespace/name`), the rule and the pool, which is the authorisation server's if that denied the request; '' when it did not come to that. */
  readonly listener: string
  readonly route: string
  readonly rule: string
  readonly backend: string
  /** `address:port` of the endpoint that answered last; '' for none. */
  readonly upstream: string
  /** Connections tried for this request. */
  readonly attempts: number
  /** Those of them after which another one followed, and why: `127.0.0.1:3000 connect-refused`, `127.0.0.1:3000 503`; the first eight. */
  readonly failed: readonly string[]
  /** What persistence did: the client is new to the backend, came back to its endpoint, or got another one; '' when it had no say. */
  readonly session: SessionOutcome
  /** Mirrors to which a copy was sent. */
  readonly mirrors: number
  /** What the client of a gRPC call was told; undefined: it is none, or was told nothing. */
  readonly grpcStatus: number | undefined
}

/** 'TLS' passes through; what comes out of TLS that ended here is 'TCP'. */
export type StreamProtocol = 'TCP' | 'TLS' | 'UDP'

export type SessionOutcome = '' | 'new' | 'kept' | 'moved'

/**
 * Why an answer was ours, or how the exchange ended early. Short and stable: dashboards count them.
 * '' means that an upstream's answer was relayed to its end.
 */
export type AnswerFlag =
  | ''
  /** The head was refused: 400, 405, 408, 414, 417, 431, 501, 505. */
  | 'bad-request'
  | 'head-timeout'
  | 'body-timeout'
  /** 413: more body than the bound for it. */
  | 'body-too-large'
  /** 421: another listener of the port is meant. */
  | 'misdirected'
  /** 404: no listener has this host. */
  | 'no-listener'
  /** 404: no rule matches. */
  | 'no-route'
  | 'redirect'
  /** 204: a CORS filter answered a preflight. */
  | 'preflight'
  /** What the authorisation server answered instead of 200. */
  | 'auth-denied'
  /** 503 or 504: the authorisation server could not be asked, or did not answer. */
  | 'auth-failed'
  /** 413: more body than the authorisation server is to get. */
  | 'auth-body'
  /** 500: the rule has no backend that could be chosen. */
  | 'no-backend'
  /** 500: the chosen backend does not resolve. */
  | 'bad-backend'
  /** 500: a filter of the rule cannot be served. */
  | 'bad-filter'
  /** 503: the pool has no endpoint. */
  | 'no-endpoint'
  /** 503: every endpoint has all the connections it may have, too many requests are under way, or memory is short. */
  | 'overload'
  /** 503: the request failed, and the retries that a policy allows its backend are spent. */
  | 'retry-budget'
  /** 503: no endpoint could be connected to. */
  | 'connect-failed'
  /** 504 or an aborted answer: a timeout of the route or of the upstream's body. */
  | 'upstream-timeout'
  /** 502 or an aborted answer: the upstream closed too early. */
  | 'upstream-closed'
  /** 502 or an aborted answer: the upstream broke the protocol. */
  | 'upstream-protocol'
  /** The client went away, or sent a body that breaks off. */
  | 'client-gone'
  /** A tunnel in which neither side said anything for too long. */
  | 'idle'
  /** The process, or the listener, ended before the exchange. */
  | 'shutdown'
