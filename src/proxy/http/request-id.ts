/** Names for requests: unique over processes by a random prefix, cheap by a counter. No secret: they are read in logs. */
import type { RequestHead } from '../http1/request-head.ts'

const longestRequestId = 200

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

/** A trusted peer's name for the request, as long as a log line can bear it. */
export function givenId(head: RequestHead, trusted: boolean): string | undefined {
  const id = trusted ? head.fields.get('x-request-id') : undefined
  return id !== undefined && id !== '' && id.length <= longestRequestId ? id : undefined
}
