/**
 * http: the way of one request, whatever the version of HTTP.
 *
 * An exchange runs between a `Downstream` (the client's side: a connection of `proxy/http1`, a stream of `proxy/http2`) and an
 * `Upstream`, and knows no sockets; whoever carries it tells it what came from the client. It has the request decided
 * (decision.ts), lets the filters act, chooses backend and endpoint, and relays the answer. Beside it: the body on its way
 * (request-body.ts), what failed attempts come to (attempts.ts), what is left at the end (accounting.ts).
 *
 * It ends exactly once, in `#end`. Nothing on the usual way makes a promise, a closure or a timer.
 */
import type { CompiledBackend, CompiledEdits, CompiledFilters, CompiledListener, CompiledMatch } from '../../routing/router.ts'
import type { AnswerFlag, SessionOutcome } from '../../telemetry/access-record.ts'
import type { FieldList } from '../http1/field-list.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import type { UpstreamUser } from '../upstream/connection.ts'
import type { UpstreamFailure } from '../upstream/failure.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { Pool } from '../upstream/pool.ts'
import type { OutgoingRequest, Upstream } from '../upstream/upstream.ts'
import { accountFor } from './accounting.ts'
import * as answers from './answers.ts'
import type { Answer } from './answers.ts'
import { type AttemptedRequest, FailedAttempts } from './attempts.ts'
import { decorate, decorated } from './cors.ts'
import { isAskedFor, tellWay, withWay } from './debug-header.ts'
import { decide, type DecidedRequest, filterAnswer } from './decision.ts'
import type { Downstream } from './downstream.ts'
import { applyEdits } from './edits.ts'
import { AuthCheck, type CheckedExchange, type HeldBody } from './external-auth.ts'
import { dropClaims } from './forwarded.ts'
import { shortenDeadline } from './grpc-deadline.ts'
import { type RequestCopies, requestCopies } from './mirror.ts'
import { outgoingRequest } from './outgoing-request.ts'
import { isTooLarge, shedding } from './overload.ts'
import { RequestBody } from './request-body.ts'
import { isRetried } from './retry.ts'
import { givenId } from './request-id.ts'
import { RequestSession } from './session.ts'

const nothing: readonly Buffer[] = []
const noReasons: readonly string[] = []

export class Exchange implements UpstreamUser, CheckedExchange, DecidedRequest, AttemptedRequest {
  readonly head: RequestHead
  readonly client: Downstream
  readonly startedAt: number
  // RequestView
  readonly method: string
  readonly host: string
  path = ''
  readonly query: string
  /** Undefined for a request without one. */
  readonly body: RequestBody | undefined
  // For the log and the counters.
  requestId = ''
  listener: CompiledListener | undefined
  match: CompiledMatch | undefined
  cors: CompiledEdits | undefined
  backendFilters: CompiledFilters | undefined
  pool: Pool | undefined
  endpoint: Endpoint | undefined
  status = 0
  flag: AnswerFlag = ''
  /** Type of the filter that answered in place of the backend; '' for none. */
  filter = ''
  attempts = 0
  requestBytes = 0
  responseBytes = 0

  #upstream: Upstream | undefined
  #request: OutgoingRequest | undefined
  // Of rules that have the filter, undefined otherwise.
  #check: AuthCheck | undefined
  #authorised: CompiledEdits | undefined
  /** The client has its 100. */
  #continued = false
  #copies: RequestCopies | undefined
  #session: RequestSession | undefined
  /** Undefined for as long as none has failed. */
  #failed: FailedAttempts | undefined
  /** The client wants to know where its request went. */
  #tells = false
  #answerBegun = false
  #ended = false
  #upstreamPaused = false
  // FIN was seen in a tunnel.
  #clientEnded = false
  #upstreamEnded = false
  #requestTimer: NodeJS.Timeout | undefined
  #attemptTimer: NodeJS.Timeout | undefined

  constructor(client: Downstream, head: RequestHead, startedAt: number) {
    this.client = client
    this.head = head
    this.startedAt = startedAt
    this.method = head.method
    this.host = head.host
    this.query = head.search === '' ? '' : head.search.slice(1)
    this.body = head.body.kind === 'none' ? undefined : new RequestBody(client)
  }

  header(name: string): string | undefined {
    return this.head.fields.get(name)
  }

  /** Attempts after which another one followed, for the log. */
  get failed(): readonly string[] {
    return this.#failed?.reasons ?? noReasons
  }

  get session(): SessionOutcome {
    return this.#session?.outcome ?? ''
  }

  get mirrors(): number {
    return this.#copies?.sent ?? 0
  }

  /** Decides and sends. May end the exchange before it returns. */
  start(): void {
    const { head, client } = this
    const { runtime, trusted } = client.context
    runtime.counters.requests += 1
    this.requestId = givenId(head, trusted) ?? runtime.requestIds.next()
    dropClaims(head, client.context)
    if (runtime.debugHeader) this.#tells = isAskedFor(head.fields)
    const answer = shedding(runtime, head.body.length) ?? decide(this)
    const { match } = this
    if (answer !== undefined || match === undefined) return this.#answer(answer ?? answers.noRoute)
    const { filters, requestTimeout } = match.rule
    if (requestTimeout > 0) this.#requestTimer = setTimeout(timedOut, requestTimeout, this)
    if (filters?.auth === undefined) return this.#pass(match)
    this.#check = new AuthCheck(this, filters.auth)
    this.#check.start()
  }

  // What comes from the authorisation server.

  onAllowed(edits: CompiledEdits, body: HeldBody | undefined): void {
    this.#check = undefined
    this.client.context.runtime.counters.authAllowed += 1
    this.#authorised = edits
    if (this.body !== undefined) this.body.held = body
    if (this.match !== undefined) this.#pass(this.match)
  }

  /** `upstream` brings the rest of its answer. */
  onDenied(upstream: Upstream, head: ResponseHead): void {
    this.flag = 'auth-denied'
    this.filter = 'ExternalAuth'
    this.#upstream = upstream
    const auth = this.match?.rule.filters?.auth
    if (auth !== undefined) this.pool = this.client.context.runtime.pools.get(auth.pool)
    this.endpoint = upstream.endpoint
    this.#relayHead(head)
  }

  /** Nothing is in the request's way any more. */
  #pass(match: CompiledMatch): void {
    const { rule } = match
    const filtered = filterAnswer(this, rule.filters)
    if (filtered !== undefined) return this.#answer(filtered)
    const { pools, sessions } = this.client.context.runtime
    if (rule.session !== undefined) this.#session = new RequestSession(rule.session, sessions, pools, this, Date.now())
    this.#sendTo(this.#session?.keptBackend(rule) ?? rule.chooseBackend(), match)
  }

  #sendTo(backend: CompiledBackend | undefined, match: CompiledMatch): void {
    if (backend === undefined) return this.#answer(answers.noBackend)
    backend.requests += 1
    if (backend.kind === 'fail') return this.#answer(answers.badBackend)
    const filtered = filterAnswer(this, backend.filters)
    if (filtered !== undefined) return this.#answer(filtered)
    const { body, client } = this
    const { runtime } = client.context
    if (backend.session !== undefined)
      this.#session ??= new RequestSession(backend.session, runtime.sessions, runtime.pools, this, Date.now())
    this.backendFilters = backend.filters
    this.pool = runtime.pools.get(backend.pool)
    const http1 = this.pool?.config.protocol !== 'h2c'
    if (!http1) shortenDeadline(this.head.fields, match.rule)
    const request = outgoingRequest(this.head, this.path, match, backend.filters, client, this.requestId, http1, this.#authorised)
    this.#continued = body?.held !== undefined
    this.#request = this.#continued ? { ...request, expectContinue: false } : request
    this.#copies = requestCopies(runtime, request, match.rule.filters, backend.filters)
    for (const piece of body?.held?.pieces ?? nothing) this.#copies?.body(piece, 0, piece.length)
    // Without a stanza too for HTTP/2, whose endpoints can say that they have not processed a request.
    if ((match.rule.retry?.attempts ?? (http1 ? 0 : 1)) > 0) body?.keep(runtime.bounds.retryBody)
    this.attempt()
    if (this.#requestDone) this.#copies?.send()
  }

  attempt(): void {
    const { pool } = this
    if (pool === undefined) return this.#answer(answers.noEndpoint)
    const acquired = pool.acquire(this, this.#failed?.tried, this.#failed?.fresh === true, this.#session?.endpointOf(pool))
    if (acquired === 'no-endpoint') return this.#answer(answers.noEndpoint)
    if (acquired === 'overload') return this.#answer(answers.overload)
    this.#upstream = acquired
    this.endpoint = acquired.endpoint
    this.attempts += 1
    const timeout = this.match?.rule.backendRequestTimeout ?? 0
    if (timeout > 0) {
      clearTimeout(this.#attemptTimer)
      this.#attemptTimer = setTimeout(attemptTimedOut, timeout, this)
    }
    if (acquired.isReady) this.onUpstreamReady()
  }

  // What comes from the upstream.

  onUpstreamReady(): void {
    const upstream = this.#upstream
    const request = this.#request
    if (upstream === undefined || request === undefined) return
    upstream.send(request)
    if (this.body !== undefined) return this.body.sendTo(upstream)
    upstream.endRequest(undefined)
    upstream.flush()
  }

  get #requestDone(): boolean {
    return this.body === undefined || this.body.done
  }

  onUpstreamInformational(head: ResponseHead): void {
    if (head.status === 100) {
      if (this.#continued) return
      this.#continued = true
    } else if (head.status !== 103) return
    this.client.sendInformational(head)
  }

  onUpstreamHead(head: ResponseHead): void {
    const retry = this.match?.rule.retry
    if (retry !== undefined && isRetried(head, retry) && this.#failures.retry(retry, false, String(head.status))) return
    const responseEdits = this.match?.rule.filters?.responseEdits
    if (this.backendFilters?.responseEdits !== undefined) applyEdits(head.fields, this.backendFilters.responseEdits)
    if (responseEdits !== undefined) applyEdits(head.fields, responseEdits)
    if (this.#session !== undefined) this.#tellSession(this.#session, head)
    this.#relayHead(head)
  }

  #tellSession(session: RequestSession, head: ResponseHead): void {
    const { pool, endpoint } = this
    if (pool !== undefined && endpoint !== undefined) session.tell(head.fields, pool, endpoint, this.client.context.scheme === 'https')
  }

  #relayHead(head: ResponseHead): void {
    this.#answerBegun = true
    this.status = head.status
    this.body?.forget()
    if (this.cors !== undefined) decorate(head.fields, this.cors)
    if (this.#tells) tellWay(this, head.fields)
    if (!this.#requestDone && this.#upstream?.duplex !== true) this.client.stopBody()
    this.client.sendHead(head)
  }

  onUpstreamBody(bytes: Buffer, from: number, to: number): void {
    this.responseBytes += to - from
    this.client.sendBody(bytes, from, to)
  }

  onUpstreamFlush(): void {
    this.client.flush()
    if (this.client.blocked && !this.#upstreamPaused) {
      this.#upstreamPaused = true
      this.#upstream?.pause()
    }
  }

  onUpstreamEnd(trailers: FieldList | undefined): void {
    this.#upstream = undefined
    if (!this.#requestDone) this.client.stopBody()
    this.client.sendEnd(trailers)
    this.#end(this.flag)
  }

  onUpstreamSwitched(head: ResponseHead): void {
    this.#answerBegun = true
    this.status = head.status
    if (this.#session !== undefined) this.#tellSession(this.#session, head)
    if (this.#tells) tellWay(this, head.fields)
    this.#stopTimers()
    this.client.sendSwitched(head)
  }

  onUpstreamTunnelEnd(): void {
    this.#upstreamEnded = true
    this.client.endTunnel()
    this.#endTunnel()
  }

  onUpstreamDrain(): void {
    this.client.resumeBody()
  }

  onUpstreamFailed(failure: UpstreamFailure): void {
    const upstream = this.#upstream
    this.#upstream = undefined
    if (this.#answerBegun) return this.#abort(answers.answerTo(failure).flag)
    if (upstream !== undefined && this.#failures.goesAgain(failure, upstream)) return
    this.#answer(answers.answerTo(failure))
  }

  leaveAttempt(): void {
    clearTimeout(this.#attemptTimer)
    this.#upstream?.destroy()
    this.#upstream = undefined
    this.body?.withdraw()
    // Its client sends the body, or has sent it, and would hear of a second 100.
    if ((this.#continued || this.requestBytes > 0) && this.#request !== undefined)
      this.#request = { ...this.#request, expectContinue: false }
  }

  get #failures(): FailedAttempts {
    this.#failed ??= new FailedAttempts(this)
    return this.#failed
  }

  /** `timeouts.backendRequest` has passed. */
  endAttempt(): void {
    this.#blame()
    const retry = this.match?.rule.retry
    if (retry !== undefined && !this.#answerBegun && this.#failures.retry(retry, false, 'timeout')) return
    this.refuse(answers.upstreamTimeout)
  }

  /** `timeouts.request` has passed. */
  endInTime(): void {
    this.#blame()
    this.refuse(answers.upstreamTimeout)
  }

  /** An endpoint that has all of the request and says nothing has failed. */
  #blame(): void {
    const upstream = this.#upstream
    if (upstream === undefined || upstream.answered || !upstream.isReady || !this.#requestDone) return
    upstream.endpoint.failed('timeout', this.client.context.runtime.sweep.now)
  }

  // What comes from the client.

  onRequestBody(bytes: Buffer, from: number, to: number): void {
    this.requestBytes += to - from
    if (isTooLarge(this.requestBytes, this.client.context.runtime)) return this.refuse(answers.bodyTooLarge)
    if (this.#check !== undefined) return this.#check.onBody(bytes, from, to)
    this.body?.take(bytes, from, to)
    this.#copies?.body(bytes, from, to)
  }

  onRequestEnd(trailers: FieldList | undefined): void {
    if (this.body !== undefined) this.body.done = true
    if (this.#check !== undefined) return this.#check.onBodyEnd(trailers)
    this.body?.end(trailers)
    if (this.#copies === undefined) return
    this.flushRequest()
    this.#copies.send()
  }

  /** After body or tunnel bytes. */
  flushRequest(): void {
    if (this.body !== undefined) return this.body.flush()
    this.#upstream?.flush()
    if (this.#upstream?.blocked === true) this.client.pauseBody()
  }

  onTunnelBytes(bytes: Buffer, from: number, to: number): void {
    this.requestBytes += to - from
    this.#upstream?.sendBody(bytes, from, to)
  }

  onTunnelEnd(): void {
    this.#clientEnded = true
    this.#upstream?.endTunnel()
    this.#endTunnel()
  }

  #endTunnel(): void {
    if (!this.#clientEnded || !this.#upstreamEnded) return
    this.#upstream?.release()
    this.#upstream = undefined
    this.#end('')
  }

  onClientDrain(): void {
    if (!this.#upstreamPaused) return
    this.#upstreamPaused = false
    this.#upstream?.resume()
  }

  /** The client is gone, or what it sends has no meaning any more. */
  cancel(flag: AnswerFlag): void {
    if (this.#ended) return
    this.#upstream?.destroy()
    this.#upstream = undefined
    this.#end(flag)
  }

  /** An answer of ours in place of the upstream's, whose connection dies; breaks off what was begun. */
  refuse(answer: Answer): void {
    if (this.#ended) return
    this.#upstream?.destroy()
    this.#upstream = undefined
    if (this.#answerBegun) this.#abort(answer.flag)
    else this.#answer(answer)
  }

  #answer(answer: Answer): void {
    this.#answerBegun = true
    this.status = answer.status
    this.flag = answer.flag
    if (answer.filter !== undefined) this.filter = answer.filter
    const said = this.cors === undefined ? answer : decorated(answer, this.cors)
    this.client.sendAnswer(this.#tells ? withWay(this, said) : said, this.requestId)
    this.#end(answer.flag)
  }

  #abort(flag: AnswerFlag): void {
    this.client.abort()
    this.#end(flag)
  }

  #end(flag: AnswerFlag): void {
    if (this.#ended) return
    this.#ended = true
    this.flag = flag
    this.#stopTimers()
    this.#check?.end()
    this.#copies?.drop()
    this.#failed?.end()
    accountFor(this)
    this.client.exchangeEnded()
  }

  #stopTimers(): void {
    if (this.#requestTimer !== undefined) clearTimeout(this.#requestTimer)
    if (this.#attemptTimer !== undefined) clearTimeout(this.#attemptTimer)
  }
}

function timedOut(exchange: Exchange): void {
  exchange.endInTime()
}

function attemptTimedOut(exchange: Exchange): void {
  exchange.endAttempt()
}
