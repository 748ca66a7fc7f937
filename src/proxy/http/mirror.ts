/**
 * Copies of a request for mirrors (HTTPRequestMirrorFilter): what the chosen backend gets, with its filters applied, to
 * each mirror whose turn it is. A copy leaves when the whole request has come and the exchange has sent its own, from a
 * buffer of its own; answers are thrown away, and whatever goes wrong is counted and otherwise nobody's business.
 */
import type { CompiledFilters, CompiledMirror } from '../../routing/router.ts'
import type { OutgoingRequest } from '../upstream/upstream.ts'
import type { ProxyRuntime } from './connection-context.ts'
import { SideRequest, type SideUser, withBody } from './side-request.ts'

/** Plain numbers, read at scrape; `bytes` is what all copies of the process hold. */
export interface MirrorCounters {
  bytes: number
  sent: number
  /** Not sent: the body was too large, broke off, or too much was held already. */
  dropped: number
  /** Sent, and not answered. */
  failed: number
}

export function createMirrorCounters(): MirrorCounters {
  return { bytes: 0, sent: 0, dropped: 0, failed: 0 }
}

/** Undefined when nothing is copied. Asks every mirror once, so call it once for each request. Upgrades are not copied. */
export function requestCopies(
  runtime: ProxyRuntime,
  request: OutgoingRequest,
  ofRule: CompiledFilters | undefined,
  ofBackend: CompiledFilters | undefined,
): RequestCopies | undefined {
  if ((ofRule?.mirrors === undefined && ofBackend?.mirrors === undefined) || request.upgrade !== '') return undefined
  const mirrors = [...(ofRule?.mirrors ?? []), ...(ofBackend?.mirrors ?? [])].filter((mirror) => mirror.take())
  return mirrors.length === 0 ? undefined : new RequestCopies(runtime, request, mirrors)
}

export class RequestCopies implements SideUser {
  readonly #runtime: ProxyRuntime
  readonly #request: OutgoingRequest
  readonly #mirrors: readonly CompiledMirror[]
  #body: Buffer[] = []
  #length = 0
  /** Bytes that are counted as held, once for each copy: each has its own until its mirror takes them. */
  #held = 0
  /** Copies under way. */
  #open = 0
  #state: 'collects' | 'sent' | 'dropped' = 'collects'

  constructor(runtime: ProxyRuntime, request: OutgoingRequest, mirrors: readonly CompiledMirror[]) {
    this.#runtime = runtime
    this.#request = request
    this.#mirrors = mirrors
    this.#hold((request.target.length + request.fields.size) * mirrors.length)
  }

  /** Copies that went out. */
  get sent(): number {
    return this.#state === 'sent' ? this.#mirrors.length : 0
  }

  body(bytes: Buffer, from: number, to: number): void {
    if (this.#state !== 'collects') return
    this.#length += to - from
    if (this.#length > this.#runtime.bounds.mirrorBody) return this.drop()
    this.#hold((to - from) * this.#mirrors.length)
    // Bytes are valid during the call.
    if (this.#state === 'collects') this.#body.push(Buffer.from(bytes.subarray(from, to)))
  }

  /** The request is complete. */
  send(): void {
    if (this.#state !== 'collects') return
    this.#state = 'sent'
    const { bounds, mirrors: counters } = this.#runtime
    const request = withBody(this.#request, this.#length)
    this.#open = this.#mirrors.length
    counters.sent += this.#mirrors.length
    for (const { pool } of this.#mirrors) new SideRequest(this.#runtime, pool, request, this.#body, this, bounds.mirrorTime).send()
  }

  /** The request will never be complete, or not be sent. Does nothing to copies that are on their way. */
  drop(): void {
    if (this.#state !== 'collects') return
    this.#state = 'dropped'
    this.#runtime.mirrors.dropped += this.#mirrors.length
    this.#release()
  }

  onSideHead(): void {}
  onSideBody(): void {}
  onSideFlush(): void {}

  onSideEnd(): void {
    this.#done()
  }

  onSideFailed(): void {
    this.#runtime.mirrors.failed += 1
    this.#done()
  }

  #done(): void {
    this.#open -= 1
    if (this.#open === 0) this.#release()
  }

  #hold(bytes: number): void {
    const { mirrors, bounds } = this.#runtime
    this.#held += bytes
    mirrors.bytes += bytes
    if (mirrors.bytes > bounds.mirrorMemory) this.drop()
  }

  #release(): void {
    this.#runtime.mirrors.bytes -= this.#held
    this.#held = 0
    this.#body = []
  }
}
