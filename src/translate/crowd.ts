/**
 * Who stands near whom among the listeners of one Gateway, in numbers: enough to say that a change touches nobody else, so that one
 * changed ListenerSet among thousands need not be merged with all of them again.
 *
 * It errs on the side of "touches": then everything is merged anew, and that decides. It is handed on from pass to pass and changed on
 * the way; it holds nothing but what its listeners determine, and whoever is not its last holder makes one of its own.
 */
import type { JudgedListener } from './listener.ts'
import { transportOf } from '../lib/transport.ts'
import { hasSni } from './listener-conflicts.ts'
import { wildcardsAbove } from './overlapping-tls.ts'

export class Crowd {
  readonly #counts = new Map<string, number>()
  #holder: object | undefined

  /** What is asked for by the last holder alone. */
  isOf(holder: object): boolean {
    return this.#holder === holder
  }

  /** undefined: it is under way, and nobody's should that come to nothing. */
  handTo(holder: object | undefined): void {
    this.#holder = holder
  }

  add(listener: JudgedListener): void {
    for (const key of keysOf(listener)) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  remove(listener: JudgedListener): void {
    for (const key of keysOf(listener)) {
      const left = (this.#counts.get(key) ?? 0) - 1
      if (left > 0) this.#counts.set(key, left)
      else this.#counts.delete(key)
    }
  }

  /** Whether anybody here may conflict or overlap with the listener, which is not here itself. */
  touches(listener: JudgedListener): boolean {
    const port = portOf(listener)
    const family = familyOf(listener)
    if (FAMILIES.some((other) => other !== family && this.#counts.has(`${port} family ${other}`))) return true
    if (this.#counts.has(`${port} host ${listener.hostname}`)) return true
    return namesOf(listener).some(([what, name]) =>
      [...[name, ...wildcardsAbove(name)].map((place) => `${port} ${what} ${place}`), `${port} below ${what} ${name}`].some((key) =>
        this.#counts.has(key),
      ),
    )
  }
}

/** Of whom SNI can tell apart; a vendor's own protocol is told of no conflict, but whoever has a port is. */
const FAMILIES = ['HTTP', 'sni', 'TCP', 'UDP', 'other'] as const

function familyOf({ listener: { protocol } }: JudgedListener): (typeof FAMILIES)[number] {
  if (hasSni(protocol)) return 'sni'
  return protocol === 'HTTP' || protocol === 'TCP' || protocol === 'UDP' ? protocol : 'other'
}

function portOf({ listener: { port, protocol } }: JudgedListener): string {
  return `${transportOf(protocol)} ${port}`
}

/** Its hostname and the names of its certificates, where there is TLS. */
function namesOf(judged: JudgedListener): readonly (readonly [what: 'tls' | 'certificate', name: string])[] {
  if (familyOf(judged) !== 'sni') return []
  const names = judged.certificates.flatMap(({ certificate }) => certificate.names)
  return [['tls', judged.hostname], ...names.map((name) => ['certificate', name] as const)]
}

function keysOf(judged: JudgedListener): readonly string[] {
  const port = portOf(judged)
  return [
    `${port} family ${familyOf(judged)}`,
    `${port} host ${judged.hostname}`,
    ...namesOf(judged).flatMap(([what, name]) => [
      `${port} ${what} ${name}`,
      ...wildcardsAbove(name).map((wildcard) => `${port} below ${what} ${wildcard}`),
    ]),
  ]
}
