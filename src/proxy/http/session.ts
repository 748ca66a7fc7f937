/**
 * Session persistence of one request (SessionPersistence; GEP-1619): which endpoint of the chosen backend its client has
 * met before, and what the client is given to be known by next time. The weights choose the backend, whatever a token
 * says, unless the route asks for the opposite; there each backend has a pin of its own in the token.
 */
import type { SessionConfig } from '../../config/route.ts'
import type { CompiledBackend, CompiledRule, RequestView } from '../../routing/router.ts'
import type { FieldList } from '../http1/field-list.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { Pool } from '../upstream/pool.ts'
import type { PoolRegistry } from '../upstream/registry.ts'
import type { SessionOutcome } from '../../telemetry/access-record.ts'
import type { GivenSession, SessionTokens } from './session-token.ts'

export class RequestSession {
  /** '' before an answer. */
  outcome: SessionOutcome = ''
  readonly #config: SessionConfig
  readonly #tokens: SessionTokens
  readonly #pools: PoolRegistry
  /** Milliseconds since the epoch. */
  readonly #now: number
  /** Undefined: the client is new, or its session is over. */
  readonly #session: GivenSession | undefined

  constructor(config: SessionConfig, tokens: SessionTokens, pools: PoolRegistry, request: RequestView, now: number) {
    this.#config = config
    this.#tokens = tokens
    this.#pools = pools
    this.#now = now
    this.#session = this.#read(request)
  }

  /** The backend met last, for routes whose sessions keep it; undefined: the weights choose. */
  keptBackend({ backends }: CompiledRule): CompiledBackend | undefined {
    const session = this.#session
    if (!this.#config.keepsBackend || session === undefined) return undefined
    const last = session.pins.at(-1)?.backend
    return backends.find((backend) => {
      const pool = backend.kind === 'pool' ? this.#pools.get(backend.pool) : undefined
      return pool !== undefined && session.key.backend(pool) === last
    })
  }

  /** The endpoint met before; undefined when there is none or it takes no requests now. */
  endpointOf(pool: Pool): Endpoint | undefined {
    const key = this.#session?.key
    const pin = this.#pinned(pool)
    if (pin === undefined || key === undefined) return undefined
    for (const endpoint of pool.endpoints) if (key.endpoint(pool, endpoint) === pin && pool.takes(endpoint)) return endpoint
    return undefined
  }

  /** Names the endpoint that answered, unless the client has that already in a token of the current key. */
  tell(fields: FieldList, pool: Pool, endpoint: Endpoint, secure: boolean): void {
    const tokens = this.#tokens
    const session = this.#session
    const began = session?.began ?? this.#now
    const pin = tokens.pin(pool, endpoint)
    const pins = session === undefined ? [] : tokens.renamed(session, this.#pools.all())
    const isLast = pins.at(-1)?.backend === pin.backend
    const pinned = this.#pinned(pool)
    this.outcome = pinned === undefined ? 'new' : pinned === pin.endpoint ? 'kept' : 'moved'
    const isKnown = session?.key === tokens.current && pinned === pin.endpoint
    if (isKnown && (isLast || !this.#config.keepsBackend)) return
    const token = tokens.write({ began, pins: [...pins.filter(({ backend }) => backend !== pin.backend), pin] })
    const { name } = this.#config
    switch (this.#config.kind) {
      case 'header':
        return fields.set(name, name.toLowerCase(), token)
      case 'cookie':
        return fields.add('Set-Cookie', 'set-cookie', `${name}=${token}${this.#attributes(began, secure)}`)
    }
  }

  #pinned(pool: Pool): string | undefined {
    const backend = this.#session?.key.backend(pool)
    return this.#session?.pins.find((pin) => pin.backend === backend)?.endpoint
  }

  #read(request: RequestView): GivenSession | undefined {
    const { kind, name, absoluteTimeout } = this.#config
    const given = kind === 'header' ? [request.header(name.toLowerCase()) ?? ''] : cookies(request.header('cookie') ?? '', name)
    for (const token of given) {
      const session = this.#tokens.read(token)
      if (session !== undefined && (absoluteTimeout === undefined || this.#now < session.began + absoluteTimeout)) return session
    }
    return undefined
  }

  /** SameSite is Lax: with Strict whoever follows a link from elsewhere, or comes back from a login, would lose the endpoint. */
  #attributes(began: number, secure: boolean): string {
    if (this.#config.kind !== 'cookie') return ''
    const { path, lifetime, absoluteTimeout = 0 } = this.#config
    const left = Math.ceil((began + absoluteTimeout - this.#now) / 1000)
    return `; Path=${path}${lifetime === 'permanent' ? `; Max-Age=${left}` : ''}; HttpOnly${secure ? '; Secure' : ''}; SameSite=Lax`
  }
}

/** Values of the cookies of that name: there may be several, of other paths and of backends. */
function cookies(field: string, name: string): string[] {
  return field
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
}
