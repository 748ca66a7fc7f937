/** gRPC streams that echo without end, each one open from before the first change to after the last. */
import type { ClientDuplexStream } from '@grpc/grpc-js'
import { pause } from '../harness/eventually.ts'
import type { Load } from './clients.ts'
import { longestWait } from './exchange.ts'
import { filler } from './filler.ts'
import type { GrpcWay } from './grpc-way.ts'
import type { Random } from './random.ts'

export class Stream {
  readonly #call: ClientDuplexStream<string, string>
  readonly #received: string[] = []
  #ended: string | undefined
  #changed: () => void = () => {}

  constructor(way: GrpcWay, path: string) {
    this.#call = way.converse(path)
    this.#call.on('data', (message: string) => {
      this.#received.push(message)
      this.#changed()
    })
    // 'status' tells.
    this.#call.on('error', () => {})
    this.#call.on('status', ({ code, details }) => {
      this.#ended = `status ${code} ${details}`.trim()
      this.#changed()
    })
  }

  /** Resolves when the message has come back. Rejects when something else comes, or nothing. */
  async echo(message: string): Promise<void> {
    this.#call.write(message)
    await this.#until(() => this.#received.length > 0)
    const came = this.#received.shift()
    if (came !== message)
      throw new Error(`${came?.length ?? 0} bytes of ${message.length} came back: ${this.#ended ?? 'the stream is open'}`)
  }

  abandon(): void {
    this.#call.cancel()
  }

  /** Half-closes; resolves when the backend has said OK. */
  async close(): Promise<void> {
    this.#call.end()
    await this.#until(() => false)
    if (this.#ended !== 'status 0 OK') throw new Error(`Cannot close the stream: its status must be 0 OK, got ${this.#ended ?? 'none'}`)
  }

  async #until(there: () => boolean): Promise<void> {
    const until = performance.now() + longestWait
    const timer = setTimeout(() => this.#changed(), longestWait + 1)
    while (!there() && this.#ended === undefined && performance.now() < until) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
    clearTimeout(timer)
  }
}

/** Sends message after message, each after the echo of the one before. */
export async function runStream(name: string, stream: Stream, random: Random, { tally, stop, longestPause }: Load): Promise<void> {
  try {
    for (let number = 0; !stop.aborted; number++) {
      await stream.echo(filler(`${name}-${number}`, random.below(10) === 0 ? random.below(50_000) : 40))
      tally.streamed += 1
      await pause(random.below(5 * longestPause))
    }
    await stream.close()
  } catch (error) {
    tally.failures.push(`${name}: ${(error as Error).message}`)
  }
}
