/** Who has which address of the load balancers' pool. */
import { GIVEN, isInPool, loadBalancerAddress } from '../addresses.ts'

export class LoadBalancerPool {
  /** By address, the Service's uid. */
  readonly #owners = new Map<string, string>()
  #next: number = GIVEN.first

  /**
   * The address for a Service, the same one again and again. One that asks for an address gets that one or none: outside the pool, or
   * somebody else's, is never granted.
   */
  grant(uid: string, requested: string | undefined): string | undefined {
    const held = [...this.#owners].find(([, owner]) => owner === uid)?.[0]
    if (requested === undefined || requested === '') return held ?? this.#take(uid, this.#free())
    if (held === requested) return held
    if (held !== undefined) this.#owners.delete(held)
    return isInPool(requested) && !this.#owners.has(requested) ? this.#take(uid, requested) : undefined
  }

  /** What a Service that is not here any more, or is of another type now, held. */
  release(uid: string): void {
    for (const [address, owner] of this.#owners) if (owner === uid) this.#owners.delete(address)
  }

  #take(uid: string, address: string | undefined): string | undefined {
    if (address !== undefined) this.#owners.set(address, uid)
    return address
  }

  /** In turn, so that an address that was just given back rests as long as it can. */
  #free(): string | undefined {
    const size = GIVEN.last - GIVEN.first + 1
    for (let n = 0; n < size; n += 1) {
      const address = loadBalancerAddress(GIVEN.first + ((this.#next - GIVEN.first + n) % size))
      if (this.#owners.has(address)) continue
      this.#next = GIVEN.first + ((this.#next - GIVEN.first + n + 1) % size)
      return address
    }
    return undefined
  }
}
