/** In a worker: the stream of the access log, written by the main process, so that lines of several workers never mix. */
import type { LogStream } from '../telemetry/access-log.ts'

export class SentLines implements LogStream {
  readonly #send: (text: string) => void
  /** Pieces that have been sent and not taken. */
  #untaken = 0
  #waiting: (() => void)[] = []

  constructor(send: (text: string) => void) {
    this.#send = send
  }

  /** False: the next piece may follow after 'drain'. */
  write(text: string): boolean {
    this.#untaken += 1
    this.#send(text)
    return false
  }

  once(_event: 'drain', listener: () => void): void {
    this.#waiting.push(listener)
  }

  end(done: () => void): void {
    if (this.#untaken === 0) done()
    else this.#waiting.push(done)
  }

  taken(): void {
    this.#untaken -= 1
    if (this.#untaken > 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const listener of waiting) listener()
  }
}
