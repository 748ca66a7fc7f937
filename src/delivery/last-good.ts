/**
 * The last configuration that was served, in a file for the next process: a container that starts anew serves at once,
 * whether or not a controller answers. The file holds private keys, so it belongs on a memory-backed volume.
 */
import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { Secret } from '../lib/secret.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { GatewayResources } from './gateway-resources.ts'
import type { ServedConfig } from './stream-receiver.ts'

/** Of the file; another one is not read. */
const format = 2
/** Milliseconds between writes: a file of thousands of routes is not written for each endpoint that changes. */
const writeInterval = 1_000

interface Stored {
  readonly format: number
  readonly version: string
  readonly config: GatewayResources['config']
  readonly keys: Readonly<Record<string, string>>
}

export class LastGood {
  readonly #path: string
  readonly #logger: Logger
  #waiting: ServedConfig | undefined
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(path: string, logger: Logger) {
    this.#path = path
    this.#logger = logger
  }

  /** Undefined when there is none for this Gateway, or none that can be read. */
  read(gateway: string): ServedConfig | undefined {
    try {
      const { format: found, version, config, keys } = JSON.parse(readFileSync(this.#path, 'utf8')) as Stored
      if (found !== format || config.gateway !== gateway) return undefined
      return { version, resources: { config, keys: new Map(Object.entries(keys).map(([name, key]) => [name, new Secret(key)])) } }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#logger.warn('the configuration that was served last cannot be read', { reason: (error as Error).message })
      return undefined
    }
  }

  /** Written soon, and once for what comes together. */
  keep(served: ServedConfig): void {
    this.#waiting = served
    this.#timer ??= setTimeout(() => void this.flush(), writeInterval)
  }

  /** Resolves when what waits has been written. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const served = this.#waiting
    this.#waiting = undefined
    if (served !== undefined) this.#writing = this.#writing.then(() => this.#write(served))
    await this.#writing
  }

  async #write({ version, resources }: ServedConfig): Promise<void> {
    const keys = Object.fromEntries([...resources.keys].map(([name, key]) => [name, key.reveal()]))
    const draft = `${this.#path}.new`
    try {
      await writeFile(draft, JSON.stringify({ format, version, config: resources.config, keys } satisfies Stored), { mode: 0o600 })
      await rename(draft, this.#path)
    } catch (error) {
      this.#logger.warn('the configuration cannot be kept for the next start', { reason: (error as Error).message })
    }
  }
}
