/**
 * One request's way: listener by Host, decision, filters, backend, endpoint, and the answer back. It runs between a
 * `Downstream` and an `Upstream` and knows no sockets; whoever carries it tells it what came from the client.
 *
 * It ends exactly once, in `#end`. Nothing on the usual way makes a promise, a closure or a timer.
 */
import { normalPath } from '../../lib/path-normal.ts'
import type {
  CompiledBackend,
  CompiledEdits,
  CompiledFilters,
  CompiledListener,
  CompiledMatch,
  CompiledRetry,
  RequestView,
} from '../../routing/router.ts'
import type { AnswerFlag } from '../../telemetry/access-record.ts'
import type { FieldList } from '../http1/field-list.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import type { UpstreamFailure, UpstreamUser } from '../upstream/connection.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { Pool } from '../upstream/pool.ts'
import type { OutgoingRequest, Upstream } from '../upstream/upstream.ts'
import { accountFor } from './accounting.ts'
import * as answers from './answers.ts'
import type { Answer } from './answers.ts'
import { decorate, decorated, preflightAnswer } from './cors.ts'
import type { Downstream } from './downstream.ts'
import { applyEdits } from './edits.ts'
import { AuthCheck, type CheckedExchange, type HeldBody } from './external-auth.ts'
import { dropClaims } from './forwarded.ts'
import { type RequestCopies, requestCopies } from './mirror.ts'
import { outgoingRequest } from './outgoing-request.ts'
import { mayRetry, otherPool, Retries } from './retry.ts'
import { RetryBody } from './retry-body.ts'
import { RequestSession } from './session.ts'

/** Endpoints that a request may find closed before its client hears of it. */
const mostEndpointsTried = 4
const longestRequestId = 200
const nothing: readonly Buffer[] = []

export class Exchange implements UpstreamUser, CheckedExchange, RequestView {
  readonly head: RequestHead
  readonly client: Downstream
  readonly startedAt: number
  // RequestView
  readonly method: string
  readonly host: string
  path = ''
  readonly query: string
  // For the log and the counters.
  requestId = ''
  listener: CompiledListener | undefined
  match: CompiledMatch | undefined
  pool: Pool | undefined
  endpoint: Endpoint | undefined
  status = 0
  flag: AnswerFlag = ''
  attempts = 0
  requestBytes = 0
  responseBytes = 0

  #upstream: Upstream | undefined
  #backendFilters: CompiledFilters | undefined
  #request: OutgoingRequest | undefined
  // Of rules that have the filter, undefined otherwise.
  #cors: CompiledEdits | undefined
  #check: AuthCheck | undefined
  #authorised: CompiledEdits | undefined
  #denied = false
  #copies: RequestCopies | undefined
  #session: RequestSession | undefined
  /** The body, when it was read before there was an upstream. */
  #held: HeldBody | undefined
  #tried: Endpoint[] | undefined
  #repeated = false
  // Of rules that retry: after a first failure, and of a request with a body for as long as it is kept.
  #retries: Retries | undefined
  #kept: RetryBody | undefined
  /** The upstream has the head, and takes the body. */
  #sent = false
  #bodyStarted = false
  #requestDone = false
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
    this.#requestDone = head.body.kind === 'none'
  }

  header(name: string): string | undefined {
    return this.head.fields.get(name)
  }

  /** Decides and sends. May end the exchange before it returns. */
  start(): void {
    const { context } = this.client
    const { runtime } = context
    const { head } = this
    runtime.counters.requests += 1
    this.requestId = givenId(head, context.trusted) ?? runtime.requestIds.next()
    dropClaims(head, context.trusted)
    if (runtime.overloaded) return this.#answer(answers.overload)
    const path = normalPath(head.path)
    if (path === undefined) return this.#answer(answers.badPath)
    this.path = path
    const listener = context.port.router.listenerFor(head.host)
    if (listener === undefined) return this.#answer(answers.noListener)
    this.listener = listener
    if (context.sniListener !== undefined && context.sniListener !== listener.config.key) return this.#answer(answers.misdirected)
    const match = listener.decide(this)
    if (match === undefined) return this.#answer(answers.noRoute)
    this.match = match
    const { filters, requestTimeout } = match.rule
    if (filters?.answer?.kind === 'fail') return this.#answer(answers.badFilter)
    if (filters?.cors !== undefined) {
      const preflight = filters.cors.preflight(this)
      if (preflight !== undefined) return this.#answer(preflightAnswer(preflight))
      this.#cors = filters.cors.decorate(this)
    }
    if (requestTimeout > 0) this.#requestTimer = setTimeout(timedOut, requestTimeout, this)
    if (filters?.auth === undefined) return this.#pass(match)
    this.#check = new AuthCheck(this, filters.auth)
    this.#check.start()
  }

  // What comes from the authorisation server.

  onAllowed(edits: CompiledEdits, body: HeldBody | undefined): void {
    this.#check = undefined
    this.#authorised = edits
    this.#held = body
    if (this.match !== undefined) this.#pass(this.match)
  }

  /** `upstream` brings the rest of its answer. */
  onDenied(upstream: Upstream, head: ResponseHead): void {
    this.#denied = true
    this.#upstream = upstream
    this.endpoint = upstream.endpoint
    this.#relayHead(head)
  }

  /** Nothing is in the request's way any more. */
  #pass(match: CompiledMatch): void {
    const { rule } = match
    const filtered = this.#filterAnswer(rule.filters)
    if (filtered !== undefined) return this.#answer(filtered)
    const { pools, sessions } = this.client.context.runtime
    if (rule.session !== undefined) this.#session = new RequestSession(rule.session, sessions, this, Date.now())
    this.#choose(match, this.#session?.keptBackend(rule, pools) ?? rule.chooseBackend())
  }

  #filterAnswer(filters: CompiledFilters | undefined): Answer | undefined {
    const found = filters?.answer
    if (found === undefined) return undefined
    if (found.kind === 'fail') return answers.badFilter
    const { context } = this.client
    const location = found.redirect.location(this, context.scheme, this.listener?.placedPort ?? 0, this.match?.prefixLength ?? 0)
    return { status: found.redirect.status, flag: 'redirect', location }
  }

  #choose(match: CompiledMatch, backend: CompiledBackend | undefined): void {
    if (backend === undefined) return this.#answer(answers.noBackend)
    backend.requests += 1
    if (backend.kind === 'fail') return this.#answer(answers.badBackend)
    const filtered = this.#filterAnswer(backend.filters)
    if (filtered !== undefined) return this.#answer(filtered)
    this.#backendFilters = backend.filters
    const { runtime } = this.client.context
    this.pool = runtime.pools.get(backend.pool)
    const inHttp1 = this.pool?.config.protocol !== 'h2c'
    const upgrade = inHttp1 ? this.#upgrade : ''
    const { head, path, client, requestId } = this
    const request = outgoingRequest(head, path, match, backend.filters, client, requestId, upgrade, inHttp1, this.#authorised)
    this.#request = this.#held === undefined ? request : { ...request, expectContinue: false }
    this.#copies = requestCopies(runtime, request, match.rule.filters, backend.filters)
    for (const piece of this.#held?.pieces ?? nothing) this.#copies?.body(piece, 0, piece.length)
    const attempts = match.rule.retry?.attempts ?? 0
    if (attempts > 0 && head.body.kind !== 'none') this.#kept = new RetryBody(runtime.bounds.retryBody, this.#held)
    this.#attempt(false)
    if (this.#requestDone) this.#copies?.send()
  }

  /** The protocol that may be switched to; '' when none was asked for or it is not one of ours. */
  get #upgrade(): string {
    const { upgrade } = this.head
    return upgrade === '' || this.client.context.runtime.upgrades.has(upgrade) ? upgrade : ''
  }

  #attempt(fresh: boolean): void {
    const { pool } = this
    if (pool === undefined) return this.#answer(answers.noEndpoint)
    const acquired = pool.acquire(this, this.#tried, fresh, this.#session?.endpointOf(pool))
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
    this.#sent = true
    const held = this.#kept ?? this.#held
    for (const piece of held?.pieces ?? nothing) upstream.sendBody(piece, 0, piece.length)
    if (this.#requestDone) {
      upstream.endRequest(held?.trailers)
      upstream.flush()
    } else this.#letBodyFlow(upstream)
  }

  #letBodyFlow(upstream: Upstream): void {
    if (this.#kept?.isFull === true) this.#kept = undefined
    if (!this.#bodyStarted) {
      this.#bodyStarted = true
      return this.client.startBody()
    }
    this.flushRequest()
    if (!upstream.blocked) this.client.resumeBody()
  }

  onUpstreamInformational(head: ResponseHead): void {
    if (head.status === 100 || head.status === 103) this.client.sendInformational(head)
  }

  onUpstreamHead(head: ResponseHead): void {
    const retry = this.match?.rule.retry
    if (retry?.codes.has(head.status) === true && this.#retry(retry, false)) return
    const responseEdits = this.match?.rule.filters?.responseEdits
    if (this.#backendFilters?.responseEdits !== undefined) applyEdits(head.fields, this.#backendFilters.responseEdits)
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
    if (this.#cors !== undefined) decorate(head.fields, this.#cors)
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
    this.#end(this.#denied ? 'auth-denied' : '')
  }

  onUpstreamSwitched(head: ResponseHead): void {
    this.#answerBegun = true
    this.status = head.status
    if (this.#session !== undefined) this.#tellSession(this.#session, head)
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
    if (this.#answerBegun) return this.#abort(answerTo(failure).flag)
    if (upstream !== undefined && this.#mayRepeat(upstream, failure)) return
    this.#answer(answerTo(failure))
  }

  /** True when the request went, or will go, to another connection. */
  #mayRepeat(upstream: Upstream, failure: UpstreamFailure): boolean {
    if (this.pool === undefined) return false
    const retry = this.match?.rule.retry
    const safe = this.head.body.kind === 'none' && (this.method === 'GET' || this.method === 'HEAD' || this.method === 'OPTIONS')
    if (retry !== undefined) return mayRetry(failure, upstream, safe, retry) && this.#retry(retry, failure === 'closed')
    if (failure === 'connect-refused' || failure === 'connect-timeout') {
      this.#tried ??= []
      this.#tried.push(upstream.endpoint)
      if (this.#tried.length >= mostEndpointsTried || this.#tried.length >= this.pool.size) return false
    } else if (failure === 'refused') {
      // RFC 9113 section 8.7: the request was not processed, whatever its method; a body that went out is gone, though.
      if (this.#repeated || this.requestBytes > 0) return false
      this.#repeated = true
    } else {
      // RFC 9112 section 9.3.1: a connection that closed under a request that can be sent twice.
      if (failure !== 'closed' || !upstream.reused || upstream.answered || this.#repeated || !safe) return false
      this.#repeated = true
    }
    this.pool.counters.retries += 1
    this.#attempt(this.#repeated)
    return true
  }

  /** True when another attempt comes after a pause: then the present one is over. */
  #retry(retry: CompiledRetry, fresh: boolean): boolean {
    const { pool, endpoint } = this
    if (pool === undefined || endpoint === undefined || (this.head.body.kind !== 'none' && this.#kept === undefined)) return false
    this.#retries ??= new Retries(retry, pool)
    if (!this.#retries.next(() => this.#attemptAgain(fresh))) return false
    clearTimeout(this.#attemptTimer)
    this.#upstream?.destroy()
    this.#upstream = undefined
    this.#sent = false
    // Once every endpoint has had its turn, only the last one is passed over.
    this.#tried = this.#tried === undefined || this.#tried.length + 1 >= pool.size ? [endpoint] : [...this.#tried, endpoint]
    return true
  }

  #attemptAgain(fresh: boolean): void {
    const { pool, match } = this
    if (pool?.size === 0 && match !== undefined && this.#backendFilters === undefined) {
      this.pool = otherPool(match.rule, pool, this.client.context.runtime.pools) ?? pool
    }
    this.#attempt(fresh)
  }

  /** `timeouts.backendRequest` has passed. */
  endAttempt(): void {
    this.#blame()
    const retry = this.match?.rule.retry
    if (retry !== undefined && !this.#answerBegun && this.#retry(retry, false)) return
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
    if (upstream === undefined || upstream.answered || !this.#sent || !this.#requestDone) return
    upstream.endpoint.failed('timeout', this.client.context.runtime.sweep.now)
  }

  // What comes from the client.

  onRequestBody(bytes: Buffer, from: number, to: number): void {
    this.requestBytes += to - from
    if (this.#check !== undefined) return this.#check.onBody(bytes, from, to)
    if (this.#kept !== undefined) this.#keep(this.#kept, bytes, from, to)
    if (this.#sent) this.#upstream?.sendBody(bytes, from, to)
    this.#copies?.body(bytes, from, to)
  }

  #keep(kept: RetryBody, bytes: Buffer, from: number, to: number): void {
    kept.add(bytes, from, to)
    // What no upstream has yet is kept, however much it is.
    if (this.#sent && kept.isFull) this.#kept = undefined
  }

  onRequestEnd(trailers: FieldList | undefined): void {
    this.#requestDone = true
    if (this.#check !== undefined) return this.#check.onBodyEnd(trailers)
    if (this.#kept !== undefined) this.#kept.trailers = trailers
    if (this.#sent) this.#upstream?.endRequest(trailers)
    if (this.#copies === undefined) return
    this.flushRequest()
    this.#copies.send()
  }

  /** After body or tunnel bytes. */
  flushRequest(): void {
    const upstream = this.#upstream
    if (upstream === undefined || !this.#sent) {
      if (this.#kept?.isFull === true) this.client.pauseBody()
      return
    }
    upstream.flush()
    if (upstream.blocked) this.client.pauseBody()
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
    this.client.sendAnswer(this.#cors === undefined ? answer : decorated(answer, this.#cors), this.requestId)
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
    this.#retries?.end()
    accountFor(this)
    this.client.exchangeEnded()
  }

  #stopTimers(): void {
    if (this.#requestTimer !== undefined) clearTimeout(this.#requestTimer)
    if (this.#attemptTimer !== undefined) clearTimeout(this.#attemptTimer)
  }
}

/** A trusted peer's name for the request, as long as a log line can bear it. */
function givenId(head: RequestHead, trusted: boolean): string | undefined {
  const id = trusted ? head.fields.get('x-request-id') : undefined
  return id !== undefined && id !== '' && id.length <= longestRequestId ? id : undefined
}

function timedOut(exchange: Exchange): void {
  exchange.endInTime()
}

function attemptTimedOut(exchange: Exchange): void {
  exchange.endAttempt()
}

function answerTo(failure: UpstreamFailure): Answer {
  switch (failure) {
    case 'connect-refused':
      return answers.connectFailed
    case 'connect-timeout':
      return answers.connectTimeout
    case 'refused':
    case 'closed':
      return answers.upstreamClosed
    case 'protocol':
      return answers.upstreamProtocol
    case 'timeout':
      return answers.upstreamTimeout
  }
}
