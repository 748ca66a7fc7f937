/** A request's body as far as it has come, for the attempt that may follow this one. */
import type { FieldList } from '../http1/field-list.ts'
import type { HeldBody } from './external-auth.ts'

export class RetryBody implements HeldBody {
  readonly pieces: Buffer[] = []
  trailers: FieldList | undefined
  readonly #bound: number
  #size = 0

  /** @param begun what was read before there was an upstream */
  constructor(bound: number, begun: HeldBody | undefined) {
    this.#bound = bound
    this.trailers = begun?.trailers
    for (const piece of begun?.pieces ?? []) this.#take(piece)
  }

  /** More than may be kept for another attempt. */
  get isFull(): boolean {
    return this.#size > this.#bound
  }

  /** Copies. */
  add(bytes: Buffer, from: number, to: number): void {
    this.#take(Buffer.from(bytes.subarray(from, to)))
  }

  #take(piece: Buffer): void {
    this.pieces.push(piece)
    this.#size += piece.length
  }
}
