/** The line of the access log for a connection or a session that has ended. */
import type { ListenerKey } from '../../config/listener.ts'
import type { CompiledStream } from '../../routing/router.ts'
import type { AccessRecord, AnswerFlag, StreamProtocol } from '../../telemetry/access-record.ts'

/** What is known of it at its end. */
export interface StreamEnd {
  readonly listener: ListenerKey
  readonly stream: CompiledStream
  readonly client: string
  /** '' for none. */
  readonly serverName: string
  /** Milliseconds, of `performance.now()`. */
  readonly startedAt: number
  readonly flag: AnswerFlag
  /** To the backend, and from it. */
  readonly sent: number
  readonly received: number
  /** Key of the pool, and the endpoint's name; '' for none. */
  readonly backend: string
  readonly upstream: string
  readonly attempts: number
}

export function streamRecord(end: StreamEnd): AccessRecord {
  const { listener, stream, client, serverName, startedAt, flag, sent, received, backend, upstream, attempts } = end
  return {
    time: performance.timeOrigin + startedAt,
    duration: performance.now() - startedAt,
    requestId: '',
    client,
    scheme: '',
    protocol: PROTOCOLS[stream.config.kind],
    method: '',
    host: serverName,
    target: '',
    status: 0,
    flag,
    filter: '',
    requestBytes: sent,
    responseBytes: received,
    listener,
    route: stream.config.key,
    rule: stream.config.key,
    backend,
    upstream,
    attempts,
    failed: [],
    session: '',
    mirrors: 0,
    grpcStatus: undefined,
  }
}

const PROTOCOLS: { readonly [K in CompiledStream['config']['kind']]: StreamProtocol } = {
  passthrough: 'TLS',
  terminate: 'TCP',
  tcp: 'TCP',
  udp: 'UDP',
}
