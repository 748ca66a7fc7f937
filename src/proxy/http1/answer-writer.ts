/** Writes the answer to one request after another in HTTP/1: framing for the client's version, and whether the connection stays. */
import { isGrpcType } from '../../routing/grpc.ts'
import { type Body, NO_BODY } from './codec.ts'
import { CHUNK_END, chunkStart, lastChunk } from './encode-chunk.ts'
import { bodyForClient, responseHeadText } from './encode-head.ts'
import type { FieldList } from './field-list.ts'
import type { RequestHead } from './request-head.ts'
import type { ResponseHead } from './response-head.ts'
import type { Outlet } from '../outlet.ts'
import { answerMessage } from './answer.ts'
import type { Answer } from '../http/answers.ts'

const EMPTY: Body = { kind: 'length', length: 0 }

export class AnswerWriter {
  readonly #outlet: Outlet
  #framing: Body = NO_BODY
  #http10 = false
  #isHead = false
  #trailers = false
  /** Of the answer. */
  #fields: FieldList | undefined
  /** What the last head told the client. */
  keepAlive = false

  constructor(outlet: Outlet) {
    this.#outlet = outlet
  }

  /** True when only the connection's end tells where the body ends, so that a FIN in it would be a lie. */
  get endsWithConnection(): boolean {
    return this.#framing.kind === 'close'
  }

  /** The request that is answered from now on; undefined: one that could not be read. */
  begin(request: RequestHead | undefined): void {
    this.#framing = NO_BODY
    this.#http10 = request?.http10 === true
    this.#isHead = request?.method === 'HEAD'
    this.#trailers = request?.teTrailers === true
  }

  /** Returns false when the client's version knows no such thing. */
  informational(head: ResponseHead): boolean {
    if (this.#http10) return false
    this.#outlet.text(responseHeadText(head, NO_BODY, true, false))
    return true
  }

  head(head: ResponseHead, mayKeepAlive: boolean): void {
    this.#framing = this.#saysEmpty(head) ? EMPTY : bodyForClient(head.body, this.#http10)
    this.keepAlive = mayKeepAlive && this.#framing.kind !== 'close'
    this.#fields = head.fields
    this.#outlet.text(responseHeadText(head, this.#framing, this.keepAlive, this.#http10))
  }

  /** HTTP/2 can say in a head that there is no body; HTTP/1 says it with a length, or the client would wait for the end (RFC 9112 section 6.3). */
  #saysEmpty({ status, body }: ResponseHead): boolean {
    return body.kind === 'none' && !this.#isHead && status !== 204 && status !== 304
  }

  body(bytes: Buffer, from: number, to: number): void {
    if (this.#framing.kind !== 'chunked') return this.#outlet.bytes(bytes, from, to)
    this.#outlet.text(chunkStart(to - from))
    this.#outlet.bytes(bytes, from, to)
    this.#outlet.text(CHUNK_END)
  }

  end(trailers: FieldList | undefined): void {
    if (this.#framing.kind !== 'chunked') return
    const forwards = trailers !== undefined && (this.#trailers || this.#isGrpc)
    this.#outlet.text(lastChunk(forwards ? trailers : undefined))
  }

  /** Its status is in its trailers: who asks for it takes them, whether it says so or not. */
  get #isGrpc(): boolean {
    return isGrpcType(this.#fields?.get('content-type'))
  }

  own(answer: Answer, requestId: string, mayKeepAlive: boolean): void {
    this.keepAlive = mayKeepAlive
    this.#outlet.text(answerMessage(answer, requestId, this.#isHead, mayKeepAlive, this.#http10))
  }
}
