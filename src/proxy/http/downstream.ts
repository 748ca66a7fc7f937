/** The client's side of one exchange, as the exchange sees it, whatever the version of HTTP. */
import type { FieldList } from '../http1/field-list.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import type { Answer } from './answers.ts'
import type { ConnectionContext } from './connection-context.ts'

export interface Downstream {
  readonly context: ConnectionContext
  /** For the access log; HTTP/1.0 is known by its heads. */
  readonly protocol: 'HTTP/1.1' | 'HTTP/2'
  /** What the client of a gRPC call was told; undefined: it is none, or was told nothing yet. */
  readonly grpcStatus: number | undefined
  /** Made once for the connection, see forwarded.ts. */
  readonly forwardedPrefix: string
  /** More waits for the client than may: send nothing on until `Exchange.onClientDrain`. */
  readonly blocked: boolean
  /** 100 and 103; clients that cannot take them get none. */
  sendInformational(head: ResponseHead): void
  sendHead(head: ResponseHead): void
  /** Bytes are valid during the call. */
  sendBody(bytes: Buffer, from: number, to: number): void
  sendEnd(trailers: FieldList | undefined): void
  /** Writes what was sent so far. */
  flush(): void
  /** An answer of ours, whole. */
  sendAnswer(answer: Answer, requestId: string): void
  /** The answer breaks off, and the client must be able to see that. */
  abort(): void
  /** Read the body from now on: the upstream takes it. */
  startBody(): void
  pauseBody(): void
  resumeBody(): void
  /** No more of the body is wanted: it was answered early. */
  stopBody(): void
  /** 101: from now on bytes go through as they are. */
  sendSwitched(head: ResponseHead): void
  /** The upstream has said FIN in a tunnel. */
  endTunnel(): void
  /** The exchange has ended, and everything about it was sent or given up. */
  exchangeEnded(): void
}
