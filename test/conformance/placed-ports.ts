/** Ports of 127.0.0.1 for the ports of the specification. They are chosen below those that systems give to clients, and stay. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { GatewayConfig } from '../../src/config/config.ts'
import type { Placement } from '../../src/config/placement.ts'

export class PlacedPorts {
  readonly #placed = new Map<string, number>()
  /** Processes that run at the same time, whose ids are near each other, begin apart. */
  #next = 15_000 + (process.pid % 100) * 150

  readonly placement: Placement = (gateway, port) => ({ address: '127.0.0.1', port: this.#placed.get(`${gateway}:${port}`) ?? 0 })

  /** To be called before a placement is asked for. */
  async place(configs: readonly GatewayConfig[]): Promise<void> {
    for (const { gateway, listeners } of configs) {
      for (const { port } of listeners) {
        const key = `${gateway}:${port}`
        if (!this.#placed.has(key)) this.#placed.set(key, await this.#free())
      }
    }
  }

  /** What the specification calls a port of ours; any other is what it is. */
  specified(gateway: string, placed: number): number {
    const found = [...this.#placed].find(([key, port]) => port === placed && key.startsWith(`${gateway}:`))
    return found === undefined ? placed : Number(found[0].slice(gateway.length + 1))
  }

  async #free(): Promise<number> {
    for (;;) {
      const port = this.#next++
      const server = createServer()
      const free = once(server.listen(port, '127.0.0.1'), 'listening').then(
        () => true,
        () => false,
      )
      if (!(await free)) continue
      await new Promise((resolve) => server.close(resolve))
      return port
    }
  }
}
