/** Routes as the measurements make them: many, each with a hostname of its own. */
import { Agent } from 'node:http'
import { GATEWAY_API, httpRoute } from '../tests/gateways.ts'
import type { Scene } from '../tests/scene.ts'
import { ask } from '../tests/traffic.ts'

export function routesPath(namespace: string): string {
  return `/apis/${GATEWAY_API}/namespaces/${namespace}/httproutes`
}

export function hostOf(name: string): string {
  return `${name}.example.com`
}

export async function createRoute({ api, namespace }: Scene, name: string, gateway: string, backendName = 'web'): Promise<void> {
  await api.post(routesPath(namespace), httpRoute(name, gateway, hostOf(name), [{ name: backendName, port: 80 }]))
}

/** Runs `make` for each item, so many at a time. */
export async function eachOf<T>(items: readonly T[], atOnce: number, make: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values()
  const work = async (): Promise<void> => {
    for (const item of queue) await make(item)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}

/** Asks again and again over one connection. */
export class Asker {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #address: string

  constructor(address: string) {
    this.#address = address
  }

  /** The status, 0 when there was no answer. */
  async status(host: string): Promise<number> {
    try {
      return (await ask({ address: this.#address, port: 80, host }, this.#agent)).status
    } catch {
      return 0
    }
  }

  close(): void {
    this.#agent.destroy()
  }
}
