/** Node's own debugger port, for one thing: a full collection of garbage in another process, so that its heap can be compared. */
import { eventually } from '../harness/eventually.ts'
import { RawClient } from '../harness/raw-client.ts'
import { WebSocketClient } from '../harness/web-socket-client.ts'

const longestWait = 30_000

export class Inspector {
  readonly #client: RawClient
  readonly #socket: WebSocketClient
  #number = 0

  private constructor(client: RawClient) {
    this.#client = client
    this.#socket = new WebSocketClient(client)
  }

  /** `url` as the process prints it: ws://127.0.0.1:PORT/ID */
  static async open(url: string): Promise<Inspector> {
    const inspector = new Inspector(await RawClient.plain(Number(new URL(url).port)))
    const { status } = await inspector.#socket.upgrade(url)
    if (status !== 101) throw new Error(`Cannot reach the debugger: the status must be 101, got ${status}`)
    return inspector
  }

  /** Twice: what finalisers let go of in the first, the second takes. */
  async collectGarbage(): Promise<void> {
    for (let round = 0; round < 2; round++) {
      const id = (this.#number += 1)
      this.#socket.send(JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' }))
      while ((JSON.parse(await this.#socket.message(longestWait)) as { id?: number }).id !== id);
    }
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

/** The line that the process prints when it listens for a debugger. */
export function debuggerUrl(stderr: () => string): Promise<string> {
  return eventually(() => /ws:\/\/\S+/.exec(stderr())?.[0], "the debugger's address", longestWait)
}
