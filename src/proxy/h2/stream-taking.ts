/**
 * Whether the peer takes what waits for it on a stream, where the stream itself does not see it: its bytes may lie in the connection.
 * Made when a bound has passed, for the looks at it that follow.
 */
import { type Sender, type SendQueues, unknown } from '../send-queues.ts'

/** A connection, and what waits in the process to go out on it. */
export interface StreamSender extends Sender {
  /** Bytes, as they go over the wire, or more. */
  readonly waiting: number
}

export class StreamTaking {
  readonly #queues: SendQueues
  /** Where the bytes end that the connection had when it was first looked at: all of the stream's are before. */
  readonly #end: number
  #taken = unknown

  constructor(queues: SendQueues, sender: StreamSender) {
    this.#queues = queues
    this.#end = sender.passed + sender.waiting
  }

  /**
   * Whether the peer has taken something since the last look; the first one says so wherever it can be known.
   * @param hasWindow only the connection holds the stream up. Otherwise it has waited for a window since its last byte, and only
   * bytes up to there count: else a stream that nobody takes would live as long as others move.
   */
  look(sender: StreamSender, hasWindow: boolean, now: number): boolean {
    const acknowledged = this.#queues.acknowledged(sender, now)
    const before = this.#taken
    this.#taken = hasWindow ? acknowledged : Math.min(acknowledged, this.#end)
    return this.#taken > before
  }
}
