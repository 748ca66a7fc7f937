/** TLSRoutes, TCPRoutes and UDPRoutes, compiled: the choice among their backends, and which of several a listener asks first. */
import type { ListenerKey } from '../config/listener.ts'
import type { StreamBackendConfig, StreamRouteConfig } from '../config/stream-route.ts'
import { compareSpecificity } from '../lib/hostname.ts'
import type { AttachedStream, CompiledStream, StreamCounters } from './router.ts'
import { WeightedChoice } from './weighted-choice.ts'

/** `previous`: an unchanged route stays what it is, one that changed keeps its counters, and its turn while its weights stay. */
export function compileStreams(
  configs: readonly StreamRouteConfig[],
  previous: readonly CompiledStream[],
  phase: () => number,
): readonly CompiledStream[] {
  const known = new Map(previous.map((stream) => [nameOf(stream.config), stream]))
  return configs.map((config) => {
    const old = known.get(nameOf(config))
    return old?.config === config ? old : new Stream(config, phase, old instanceof Stream ? old : undefined)
  })
}

/**
 * By listener, most specific hostname first, and the one that comes first in tie-break order for each hostname: others are accepted and
 * get nothing (Gateway API, guidelines for conflicts).
 */
export function attachedStreams(streams: readonly CompiledStream[]): ReadonlyMap<ListenerKey, readonly AttachedStream[]> {
  const byListener = new Map<ListenerKey, Map<string, AttachedStream>>()
  for (const stream of streams) {
    for (const { listener, hostnames } of stream.config.attachments) {
      let byHostname = byListener.get(listener)
      if (byHostname === undefined) byListener.set(listener, (byHostname = new Map()))
      for (const hostname of hostnames) if (!byHostname.has(hostname)) byHostname.set(hostname, { hostname, stream })
    }
  }
  return new Map(
    [...byListener].map(([listener, byHostname]) => [
      listener,
      [...byHostname.values()].toSorted((a, b) => compareSpecificity(a.hostname, b.hostname)),
    ]),
  )
}

export function sameAttached(a: readonly AttachedStream[], b: readonly AttachedStream[]): boolean {
  return a.length === b.length && a.every(({ hostname, stream }, i) => b[i]?.hostname === hostname && b[i].stream === stream)
}

class Stream implements CompiledStream {
  readonly config: StreamRouteConfig
  readonly counters: StreamCounters
  readonly #backends: readonly StreamBackendConfig[]
  readonly #choice: WeightedChoice | undefined

  constructor(config: StreamRouteConfig, phase: () => number, previous: Stream | undefined) {
    this.config = config
    this.counters = previous?.counters ?? { active: 0, passed: 0, failed: 0, sent: 0, received: 0 }
    this.#backends = config.backends.filter(({ weight }) => weight > 0)
    const weights = this.#backends.map(({ weight }) => weight)
    if (weights.length < 2) return
    const same =
      previous !== undefined &&
      weights.length === previous.#backends.length &&
      weights.every((weight, i) => weight === previous.#backends[i]?.weight)
    this.#choice = (same ? previous.#choice : undefined) ?? new WeightedChoice(weights, phase())
  }

  chooseBackend(): StreamBackendConfig | undefined {
    return this.#backends[this.#choice?.next() ?? 0]
  }
}

function nameOf({ kind, key }: StreamRouteConfig): string {
  return `${kind} ${key}`
}
