/**
 * Whether a peer takes anything of what the kernel has for it. The kernel tells a writer only when about a third of its send buffer is
 * free, and that may be megabytes: a peer that is slow but steady would look as if it took nothing. So where a bound has passed without
 * a byte more than the kernel would take, the kernel's own tables are asked what the peer has acknowledged; at no other time, and once
 * for everything that expires at one moment. Elsewhere than on Linux nobody knows.
 */
import { readFileSync } from 'node:fs'
import type { Ends } from './proxy-protocol/ends.ts'
import { readSendQueues, socketKey } from './send-queue-table.ts'

/** A socket, and how much of what it was given it has passed on. */
export interface Sender {
  readonly ends: Ends
  /** Bytes that the kernel has been given since the connection began, as they go over the wire. */
  readonly passed: number
}

export class SendQueues {
  readonly #read: () => string
  #queues = new Map<string, number>()
  #readAt = Number.NEGATIVE_INFINITY

  /** @param read what the kernel says of its sockets, '' where it says nothing */
  constructor(read: () => string = readTables) {
    this.#read = read
  }

  /**
   * Bytes that the peer has acknowledged since the connection began; `unknown` where nobody knows.
   * @param now milliseconds; the tables are read once for each
   */
  acknowledged({ ends, passed }: Sender, now: number): number {
    if (now !== this.#readAt) {
      this.#readAt = now
      this.#queues = readSendQueues(this.#read())
    }
    const key = socketKey(ends)
    const queued = key === undefined ? undefined : this.#queues.get(key)
    return queued === undefined ? unknown : Math.max(0, passed - queued)
  }
}

/** Less than any number of bytes: what was never looked at, and what cannot be. */
export const unknown = -1

function readTables(): string {
  return process.platform === 'linux' ? readTable('tcp') + readTable('tcp6') : ''
}

/** A machine without IPv6 has no tcp6. */
function readTable(name: string): string {
  try {
    return readFileSync(`/proc/self/net/${name}`, 'latin1')
  } catch {
    return ''
  }
}
