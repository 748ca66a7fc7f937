/**
 * Which worlds may answer. A change takes a moment: from `begin` on the new world may answer, after `settle` the old one
 * must not. So a request that was sent while world n had settled, and answered when world m had begun, is right if any
 * world from n to m would answer so.
 */
import type { World } from './world.ts'

export class Timeline {
  readonly #worlds: World[]
  #settled = 0

  constructor(first: World) {
    this.#worlds = [first]
  }

  /** A mark for `since`. */
  get settled(): number {
    return this.#settled
  }

  begin(world: World): void {
    this.#worlds.push(world)
  }

  settle(): void {
    this.#settled = this.#worlds.length - 1
  }

  /** The worlds that may have had a say from the mark until now. */
  since(mark: number): readonly World[] {
    return this.#worlds.slice(mark)
  }
}
