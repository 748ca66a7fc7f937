/**
 * One request's way: listener by Host, decision, filters, backend, endpoint, and the answer back. It runs between a
 * `Downstream` and an `UpstreamConnection` and knows no sockets; whoever carries it tells it what came from the client.
 *
 * It ends exactly once, in `#end`. Nothing on the usual way makes a promise, a closure or a timer.
 */
import { normalPath } from '../../lib/path-normal.ts'
import type { CompiledBackend, CompiledFilters, CompiledListener, CompiledMatch, RequestView } from '../../routing/router.ts'
import type { AnswerFlag } from '../../telemetry/access-record.ts'
import { CHUNK_END, chunkStart, lastChunk } from '../http1/encode-chunk.ts'
import type { FieldList } from '../http1/field-list.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import type { UpstreamConnection, UpstreamFailure, UpstreamUser } from '../upstream/connection.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { Pool } from '../upstream/pool.ts'
import { accountFor } from './accounting.ts'
import * as answers from './answers.ts'
import type { Answer } from './answers.ts'
import type { Downstream } from './downstream.ts'
import { applyEdits } from './edits.ts'
import { dropClaims } from './forwarded.ts'
import { requestText } from './request-text.ts'

/** Endpoints that a request may find closed before its client hears of it. */
const mostEndpointsTried = 4
const longestRequestId = 200

export class Exchange implements UpstreamUser, RequestView {
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

  #upstream: UpstreamConnection | undefined
  #backendFilters: CompiledFilters | undefined
  #text = ''
  #tried: Endpoint[] | undefined
  #repeated = false
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
    const { rule } = match
    const filtered = this.#filterAnswer(rule.filters)
    if (filtered !== undefined) return this.#answer(filtered)
    if (rule.requestTimeout > 0) this.#requestTimer = setTimeout(timedOut, rule.requestTimeout, this)
    this.#choose(match, rule.chooseBackend())
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
    this.pool = this.client.context.runtime.pools.get(backend.pool)
    this.#text = requestText(this.head, this.path, match, backend.filters, this.client, this.requestId, this.#upgrade !== '')
    this.#attempt(false)
  }

  /** The protocol that may be switched to; '' when none was asked for or it is not one of ours. */
  get #upgrade(): string {
    const { upgrade } = this.head
    return upgrade === '' || this.client.context.runtime.upgrades.has(upgrade) ? upgrade : ''
  }

  #attempt(fresh: boolean): void {
    const { pool } = this
    if (pool === undefined) return this.#answer(answers.noEndpoint)
    const acquired = pool.acquire(this, this.#tried, fresh)
    if (acquired === 'no-endpoint') return this.#answer(answers.noEndpoint)
    if (acquired === 'overload') return this.#answer(answers.overload)
    this.#upstream = acquired
    this.endpoint = acquired.endpoint
    this.attempts += 1
    const timeout = this.match?.rule.backendRequestTimeout ?? 0
    if (timeout > 0) {
      clearTimeout(this.#attemptTimer)
      this.#attemptTimer = setTimeout(timedOut, timeout, this)
    }
    if (acquired.isReady) this.onUpstreamReady()
  }

  // What comes from the upstream.

  onUpstreamReady(): void {
    const upstream = this.#upstream
    if (upstream === undefined) return
    const upgrade = this.#upgrade
    upstream.begin(upgrade === this.head.upgrade ? this.head : { method: this.method, upgrade })
    upstream.outlet.text(this.#text)
    if (this.#requestDone) {
      upstream.endRequest()
      upstream.flush()
    } else this.client.startBody()
  }

  onUpstreamInformational(head: ResponseHead): void {
    if (head.status === 100 || head.status === 103) this.client.sendInformational(head)
  }

  onUpstreamHead(head: ResponseHead): void {
    this.#answerBegun = true
    this.status = head.status
    const responseEdits = this.match?.rule.filters?.responseEdits
    if (this.#backendFilters?.responseEdits !== undefined) applyEdits(head.fields, this.#backendFilters.responseEdits)
    if (responseEdits !== undefined) applyEdits(head.fields, responseEdits)
    if (!this.#requestDone) this.client.stopBody()
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
    this.client.sendEnd(trailers)
    this.#end('')
  }

  onUpstreamSwitched(head: ResponseHead): void {
    this.#answerBegun = true
    this.status = head.status
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

  /** True when the request went to another connection. */
  #mayRepeat(upstream: UpstreamConnection, failure: UpstreamFailure): boolean {
    if (this.pool === undefined) return false
    if (failure === 'connect-refused' || failure === 'connect-timeout') {
      this.#tried ??= []
      this.#tried.push(upstream.endpoint)
      if (this.#tried.length >= mostEndpointsTried || this.#tried.length >= this.pool.size) return false
    } else {
      // RFC 9112 section 9.3.1: a connection that closed under a request that can be sent twice.
      const safe = this.method === 'GET' || this.method === 'HEAD' || this.method === 'OPTIONS'
      if (failure !== 'closed' || !upstream.reused || upstream.answered || this.#repeated || !safe || this.head.body.kind !== 'none')
        return false
      this.#repeated = true
    }
    this.pool.counters.retries += 1
    this.#attempt(this.#repeated)
    return true
  }

  // What comes from the client.

  onRequestBody(bytes: Buffer, from: number, to: number): void {
    this.requestBytes += to - from
    const upstream = this.#upstream
    if (upstream === undefined) return
    const { outlet } = upstream
    if (this.head.body.kind === 'chunked') {
      outlet.text(chunkStart(to - from))
      outlet.bytes(bytes, from, to)
      outlet.text(CHUNK_END)
    } else outlet.bytes(bytes, from, to)
  }

  onRequestEnd(trailers: FieldList | undefined): void {
    this.#requestDone = true
    const upstream = this.#upstream
    if (upstream === undefined) return
    if (this.head.body.kind === 'chunked') upstream.outlet.text(lastChunk(trailers))
    upstream.endRequest()
  }

  /** After body or tunnel bytes. */
  flushRequest(): void {
    const upstream = this.#upstream
    if (upstream === undefined) return
    upstream.flush()
    if (upstream.outlet.blocked) this.client.pauseBody()
  }

  onTunnelBytes(bytes: Buffer, from: number, to: number): void {
    this.requestBytes += to - from
    this.#upstream?.outlet.bytes(bytes, from, to)
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
    this.client.sendAnswer(answer, this.requestId)
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
  exchange.refuse(answers.upstreamTimeout)
}

function answerTo(failure: UpstreamFailure): Answer {
  switch (failure) {
    case 'connect-refused':
      return answers.connectFailed
    case 'connect-timeout':
      return answers.connectTimeout
    case 'closed':
      return answers.upstreamClosed
    case 'protocol':
      return answers.upstreamProtocol
    case 'timeout':
      return answers.upstreamTimeout
  }
}
