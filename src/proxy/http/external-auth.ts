/**
 * Asks an authorisation server about a request before anything else of it happens (HTTPExternalAuthFilter). Its 200, or
 * OK in gRPC, lets the request pass, with fields of its answer; any other answer goes to the client; and when there is
 * none the client gets an error. Nothing passes unasked.
 */
import type { CompiledAuth, CompiledEdits } from '../../routing/router.ts'
import { NO_BODY } from '../http1/codec.ts'
import { FieldList } from '../http1/field-list.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import type { UpstreamUser } from '../upstream/connection.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { type Answer, authBodyTooLarge, authFailed, authTimeout, upstreamClosed } from './answers.ts'
import type { Downstream } from './downstream.ts'
import { CheckReply, checkMessage, checkRequest, type Verdict } from './external-auth-grpc.ts'
import { allowedEdits, authRequest } from './external-auth-http.ts'
import { type SideFailure, SideRequest, type SideUser } from './side-request.ts'

/** The exchange, as a check sees it. The rest of a denying answer comes as from any upstream. */
export interface CheckedExchange extends UpstreamUser {
  readonly client: Downstream
  readonly head: RequestHead
  readonly path: string
  readonly requestId: string
  /** `body` was read already, when it was sent to the server too. */
  onAllowed(edits: CompiledEdits, body: HeldBody | undefined): void
  onDenied(upstream: Upstream, head: ResponseHead): void
  refuse(answer: Answer): void
}

export interface HeldBody {
  readonly pieces: readonly Buffer[]
  readonly trailers: FieldList | undefined
}

export class AuthCheck implements SideUser {
  readonly #exchange: CheckedExchange
  readonly #auth: CompiledAuth
  readonly #pieces: Buffer[] = []
  #length = 0
  #held: HeldBody | undefined
  #request: SideRequest | undefined
  #state: 'asks' | 'allowed' | 'denied' | 'ended' = 'asks'

  constructor(exchange: CheckedExchange, auth: CompiledAuth) {
    this.#exchange = exchange
    this.#auth = auth
  }

  /** May end before it returns. */
  start(): void {
    const { head, client } = this.#exchange
    if (this.#auth.maxBody === 0 || head.body.kind === 'none') return this.#ask()
    if (head.body.length > this.#auth.maxBody) return this.#exchange.refuse(authBodyTooLarge)
    if (!head.expectContinue) return client.startBody()
    // It is we who wait for the body, so the 100 is ours.
    client.sendInformational(goOn())
    client.flush()
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    this.#length += to - from
    if (this.#length > this.#auth.maxBody) this.#exchange.refuse(authBodyTooLarge)
    else this.#pieces.push(Buffer.from(bytes.subarray(from, to)))
  }

  onBodyEnd(trailers: FieldList | undefined): void {
    this.#held = { pieces: this.#pieces, trailers }
    this.#ask()
  }

  /** The exchange has ended before it was decided, or with the denial. */
  end(): void {
    this.#state = 'ended'
    this.#request?.destroy()
  }

  #ask(): void {
    const { client, head, path, requestId } = this.#exchange
    const { runtime } = client.context
    const { pool } = this.#auth
    const { authTime, authReply } = runtime.bounds
    switch (this.#auth.protocol) {
      case 'http': {
        const request = authRequest(this.#auth, head, path, client.context, requestId, this.#length)
        this.#request = new SideRequest(runtime, pool, request, this.#pieces, this, authTime)
        break
      }
      case 'grpc': {
        const { name = '', namespace = '', port = 0 } = runtime.pools.get(pool)?.config.backend ?? {}
        const request = checkRequest(`${name}.${namespace}:${port}`, authTime)
        const body = this.#auth.maxBody === 0 ? undefined : Buffer.concat(this.#pieces)
        const question = checkMessage(this.#auth, this.#exchange, body, Date.now())
        const reply = new CheckReply(
          authReply,
          (verdict) => this.#decide(verdict),
          (failure) => this.onSideFailed(failure),
        )
        this.#request = new SideRequest(runtime, pool, request, [question], reply, authTime)
        break
      }
    }
    this.#request.send()
  }

  #decide(verdict: Verdict | undefined): void {
    if (this.#state !== 'asks') return
    if (verdict === undefined) this.#exchange.refuse(authFailed)
    else if (verdict.kind === 'denied') this.#exchange.refuse(verdict.answer)
    else this.#allow(verdict.edits)
  }

  /** What is left of the answer is read and thrown away, so that its connection can be kept. */
  #allow(edits: CompiledEdits): void {
    this.#state = 'allowed'
    this.#exchange.onAllowed(edits, this.#held)
  }

  onSideHead(head: ResponseHead): void {
    if (head.status === 200) return this.#allow(allowedEdits(this.#auth, head.fields))
    const upstream = this.#request?.upstream
    if (upstream === undefined) return
    this.#state = 'denied'
    this.#request?.handOver()
    this.#exchange.onDenied(upstream, head)
  }

  onSideBody(bytes: Buffer, from: number, to: number): void {
    if (this.#state === 'denied') this.#exchange.onUpstreamBody(bytes, from, to)
  }

  onSideFlush(): void {
    if (this.#state === 'denied') this.#exchange.onUpstreamFlush()
  }

  onSideEnd(trailers: FieldList | undefined): void {
    if (this.#state === 'denied') this.#exchange.onUpstreamEnd(trailers)
  }

  onSideFailed(failure: SideFailure): void {
    if (this.#state === 'denied') this.#exchange.refuse(upstreamClosed)
    else if (this.#state === 'asks') {
      this.#exchange.refuse(failure === 'timeout' || failure === 'connect-timeout' ? authTimeout : authFailed)
    }
  }
}

function goOn(): ResponseHead {
  const fields = FieldList.empty()
  return {
    kind: 'response',
    status: 100,
    reason: 'Continue',
    fields,
    body: NO_BODY,
    keepAlive: true,
    keepAliveTimeout: undefined,
    upgrade: '',
  }
}
