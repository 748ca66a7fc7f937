/** Names for requests: unique over processes by a random prefix, cheap by a counter. No secret: they are read in logs. */
export class RequestIds {
  readonly #prefix: string
  #count = 0

  /** @param prefix 16 hexadecimal digits, random for each process */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  next(): string {
    this.#count += 1
    return this.#prefix + this.#count.toString(16).padStart(16, '0')
  }
}
