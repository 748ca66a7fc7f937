/** `gatewright run ... -o json` as a child process, what it said, and clients for the places where it listens. */
import { type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OpenListener } from '../../src/cli/open-listeners.ts'
import type { LocatedFinding } from '../../src/sources/source.ts'
import type { StatusOf } from '../../src/translate/translation.ts'
import { type CommandOptions, spawnCommand } from './command.ts'
import { eventually } from './eventually.ts'
import { RawClient } from './raw-client.ts'

interface Ready {
  readonly ready: true
  readonly admin: string
  readonly listeners: readonly OpenListener[]
}

export interface Change {
  readonly changed: true
  readonly listeners: readonly OpenListener[]
  readonly statuses: readonly StatusOf[]
  readonly findings: readonly LocatedFinding[]
}

export interface RunOptions extends CommandOptions {
  /** Absent: one of its own, which ends with it. */
  readonly stateDir?: string
}

export class RunningGateway {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #own = mkdtempSync(join(tmpdir(), 'gatewright-state-'))
  readonly #state: string
  readonly #lines: string[] = []
  readonly #clients: RawClient[] = []
  #rest = ''
  stderr = ''

  private constructor(args: readonly string[], options: RunOptions) {
    this.#state = options.stateDir ?? this.#own
    this.#child = spawnCommand(['run', ...args, '-o', 'json', '--state-dir', this.#state], options)
    this.#child.stdout.on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n')
      this.#rest = lines.pop() ?? ''
      this.#lines.push(...lines)
    })
    this.#child.stderr.on('data', (text: string) => (this.stderr += text))
  }

  /** Resolves with the first line. Well-known ports of the manifests are moved to free ones, unless `args` say where to. */
  static async start(args: readonly string[], options: RunOptions = {}): Promise<RunningGateway> {
    const moved = await Promise.all([80, 443, 53, 5432].map(async (port) => ['--port', `${port}=${await freePort()}`]))
    const gateway = new RunningGateway(args.includes('--port') ? args : [...args, ...moved.flat()], options)
    try {
      await eventually(() => gateway.#lines.length > 0 || gateway.#child.exitCode !== null, 'the line that says ready', 10_000)
      if (gateway.#lines.length === 0) throw new Error(`Cannot go on: run must print a line, ended with: ${gateway.stderr}`)
      return gateway
    } catch (error) {
      await gateway.close()
      throw error
    }
  }

  get ready(): Ready {
    return JSON.parse(this.#lines[0] ?? '') as Ready
  }

  get changes(): readonly Change[] {
    return this.#lines.slice(1).map((line) => JSON.parse(line) as Change)
  }

  /** The first change from the `from`th on that `look` finds something in. */
  change<T>(look: (change: Change) => T | undefined, what: string, from = 0): Promise<T> {
    return eventually(() => this.changes.slice(from).map(look).find(Boolean), what, 4_000)
  }

  /** Resolves with the code once the process has ended. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close')
    return this.#child.exitCode
  }

  signal(signal: 'SIGTERM' | 'SIGINT'): void {
    this.#child.kill(signal)
  }

  /** Ends it as a person would, the clients after it; its code. */
  async close(): Promise<number | null> {
    for (const client of this.#clients) client.socket.destroy()
    this.signal('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    const code = await this.ended()
    clearTimeout(timer)
    rmSync(this.#own, { recursive: true, force: true })
    return code
  }

  /** PEM of the development CA, for clients that verify. */
  get authority(): string {
    return readFileSync(join(this.#state, 'ca', 'ca.pem'), 'utf8')
  }

  /** Where the listener of that name is. */
  listener(name: string): OpenListener {
    const found = (this.changes.at(-1) ?? this.ready).listeners.find(({ listener }) => listener === name)
    if (found === undefined) throw new Error(`Cannot find listener ${name}: it must be open, got none`)
    return found
  }

  /** Where requests for `url` go: the listener of its scheme that names the host best. */
  place(url: string): { readonly address: string; readonly port: number } {
    const { protocol, hostname } = new URL(url)
    const wanted = protocol === 'https:' || protocol === 'wss:' ? 'HTTPS' : 'HTTP'
    const listeners = (this.changes.at(-1) ?? this.ready).listeners.filter((one) => one.protocol === wanted)
    const found = listeners.find((one) => one.hostname === hostname) ?? listeners[0]
    if (found === undefined) throw new Error(`Cannot ask for ${url}: an ${wanted} listener must be open, got none`)
    return found
  }

  /** A connection to the place of `url`; over TLS its certificate is verified for the host, unless `insecure`. */
  async connect(url: string, { insecure = false } = {}): Promise<RawClient> {
    const { address, port } = this.place(url)
    const { protocol, hostname } = new URL(url)
    const secure = protocol === 'https:' || protocol === 'wss:'
    const client = secure
      ? await RawClient.tls(port, { host: address, servername: hostname, ca: this.authority, rejectUnauthorized: !insecure })
      : await RawClient.plain(port, address)
    this.#clients.push(client)
    return client
  }
}

/** A port of loopback that nobody had a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
