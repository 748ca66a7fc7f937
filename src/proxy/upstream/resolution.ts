/**
 * Keeps the addresses of a name: looked up at once, and again when they have lived their time, for as long as the pool is there.
 *
 * Where nobody could say, the last good addresses go on; where the name is gone or leads nowhere, so are they, and requests
 * get what they get of a backend without endpoints.
 */
import type { EndpointConfig } from '../../config/pool.ts'
import type { Bounds } from '../../config/bounds.ts'
import type { NameLookup, NameOutcome } from './name-lookup.ts'

export type ResolutionPolicy = Pick<Bounds, 'nameTtlLeast' | 'nameTtlMost' | 'nameAddresses'>

export interface ResolutionOptions {
  readonly hostname: string
  readonly port: number
  readonly lookup: NameLookup
  readonly policy: ResolutionPolicy
  readonly allowed: (address: string) => boolean
  /** What came of a look; `endpoints` is undefined where they stay what they are. */
  readonly looked: (outcome: LookOutcome, endpoints: readonly EndpointConfig[] | undefined) => void
}

/** 'refused': all addresses are such that a name may not lead to. */
export type LookOutcome =
  | { readonly kind: 'found' | 'absent' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string }

/** Milliseconds after which a name that nobody could tell of is asked again; it doubles with each failure. */
const firstPause = 1_000
const longestPause = 30_000

export class Resolution {
  readonly hostname: string
  readonly port: number
  /** Resolves after the first look, whatever it came to. */
  readonly first: Promise<void>
  readonly #options: ResolutionOptions
  #timer: NodeJS.Timeout | undefined
  readonly #stopping = new AbortController()
  #failures = 0
  #wasAnswered = false

  constructor(options: ResolutionOptions) {
    this.#options = options
    this.hostname = options.hostname
    this.port = options.port
    this.first = this.#look()
  }

  stop(): void {
    this.#stopping.abort()
    clearTimeout(this.#timer)
  }

  async #look(): Promise<void> {
    const { signal } = this.#stopping
    const found = await this.#options.lookup(this.hostname, signal).catch((error: unknown): NameOutcome => ({
      kind: 'failed',
      reason: (error as Error).message,
    }))
    if (signal.aborted) return
    this.#failures = found.kind === 'failed' ? this.#failures + 1 : 0
    this.#timer = setTimeout(() => void this.#look(), this.#pauseAfter(found)).unref()
    this.#tell(found)
  }

  #pauseAfter(found: NameOutcome): number {
    const { nameTtlLeast, nameTtlMost } = this.#options.policy
    switch (found.kind) {
      case 'found':
        return Math.max(nameTtlLeast, Math.min(found.ttl ?? 0, nameTtlMost))
      case 'absent':
        return nameTtlLeast
      case 'failed':
        return Math.min(firstPause * 2 ** (this.#failures - 1), longestPause)
    }
  }

  #tell(found: NameOutcome): void {
    const { allowed, looked, policy } = this.#options
    switch (found.kind) {
      case 'failed':
        // Those of a name that was meant before are none of this one.
        return looked({ kind: 'failed', reason: found.reason }, this.#wasAnswered ? undefined : [])
      case 'absent':
        this.#wasAnswered = true
        return looked({ kind: 'absent' }, [])
      case 'found': {
        this.#wasAnswered = true
        const usable = [...new Set(found.addresses.filter(allowed))].sort().slice(0, policy.nameAddresses)
        const refused = found.addresses.find((address) => !allowed(address))
        const outcome: LookOutcome =
          usable.length === 0 && refused !== undefined ? { kind: 'refused', reason: `it must not lead to ${refused}` } : { kind: 'found' }
        return looked(
          outcome,
          usable.map((address) => ({ address, port: this.port, state: 'ready' })),
        )
      }
    }
  }
}
