/** The gateway as users have it: `gatewright run FOLDER`, a process of its own, and what can be seen of it from outside. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { eventually, pause } from '../harness/eventually.ts'
import type { Manifest } from '../load/world.ts'
import { debuggerUrl, Inspector } from './inspector.ts'
import type { Sample } from './sample.ts'

/** Shorter than a stranger's gateway has them, so that what rude clients leave behind is over in seconds. */
const bounds = {
  'head-time': 6_000,
  'handshake-time': 6_000,
  'client-idle-time': 10_000,
  'body-idle-time': 8_000,
  'write-stuck-time': 8_000,
  'drain-time': 20_000,
}
const longestWait = 30_000

export interface Places {
  /** The specification's port and where it listens. */
  readonly ports: ReadonlyMap<number, number>
  readonly folder: string
  /** The built command. */
  readonly command: string
}

export class GatewayProcess {
  readonly #child: ChildProcess
  readonly #file: string
  readonly #admin: string
  readonly #inspector: Inspector
  readonly #said: { readonly stderr: string }

  private constructor(child: ChildProcess, file: string, admin: string, inspector: Inspector, said: { readonly stderr: string }) {
    this.#child = child
    this.#file = file
    this.#admin = admin
    this.#inspector = inspector
    this.#said = said
  }

  /** Resolves when it serves the manifests. */
  static async start({ ports, folder, command }: Places, manifests: ReadonlyMap<string, Manifest>): Promise<GatewayProcess> {
    const file = join(folder, 'soak.yaml')
    write(file, manifests)
    const options = [
      ...[...ports].flatMap(([port, place]) => ['--port', `${port}=${place}`]),
      ...Object.entries(bounds).flatMap(([name, value]) => ['--bound', `${name}=${value}`]),
    ]
    const child = spawn(process.execPath, ['--inspect=127.0.0.1:0', command, 'run', folder, '--strict', '-o', 'json', ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = { stdout: '', stderr: '' }
    child.stderr.on('data', (bytes: Buffer) => {
      said.stderr += bytes.toString()
    })
    // Only the first line is wanted; the rest must be read all the same.
    child.stdout.on('data', (bytes: Buffer) => {
      if (!said.stdout.includes('\n')) said.stdout += bytes.toString()
    })
    try {
      const first = await eventually(
        () => {
          if (child.exitCode !== null) throw new Error(`Cannot soak: the gateway must run, it ended with ${said.stderr}`)
          return said.stdout.includes('\n') && (said.stdout.split('\n')[0] ?? '')
        },
        'the line that says ready',
        longestWait,
      )
      const { admin } = JSON.parse(first) as { admin: string }
      return new GatewayProcess(child, file, admin, await Inspector.open(await debuggerUrl(() => said.stderr)), said)
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  /** What it has logged, debugger's lines apart. */
  get log(): readonly string[] {
    return this.#said.stderr.split('\n').filter((line) => line !== '' && !/debugger|nodejs\.org/i.test(line))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Resolves when `mark` is to be found in what is served. */
  async serve(manifests: ReadonlyMap<string, Manifest>, mark: string): Promise<void> {
    write(this.#file, manifests)
    const until = performance.now() + longestWait
    while (!(await this.#ask('/config')).includes(mark)) {
      if (performance.now() > until) throw new Error(`Cannot go on: ${mark} must be served within ${longestWait} ms`)
      await pause(25)
    }
  }

  /** @param collected with a full collection of garbage before */
  async sample(collected: boolean): Promise<Sample> {
    if (collected) await this.#inspector.collectGarbage()
    // Before the connection that asks.
    const files = readdirSync(`/proc/${this.pid}/fd`).length
    const metrics = await this.#ask('/metrics')
    const sum = (name: string, label = ''): number =>
      metrics
        .split('\n')
        .filter((line) => line.startsWith(`${name} `) || (line.startsWith(`${name}{`) && line.includes(label)))
        .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    return {
      files,
      sockets: sum('nodejs_active_resources', 'type="TCPSocketWrap"'),
      timers: sum('nodejs_active_resources', 'type="Timeout"'),
      heap: sum('process_heap_bytes') / 2 ** 20,
      resident: Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]) / 1024,
      connections: sum('gatewright_connections'),
      requests: sum('gatewright_active_requests'),
      tunnels: sum('gatewright_tunnels'),
      upstreamConnections: sum('gatewright_upstream_connections'),
      upstreamRequests: sum('gatewright_upstream_active_requests'),
    }
  }

  async stop(): Promise<number | null> {
    await this.#inspector.close()
    if (!this.ended) {
      this.#child.kill('SIGTERM')
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), longestWait)
      await once(this.#child, 'exit')
      clearTimeout(timer)
    }
    return this.#child.exitCode
  }

  #ask(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      // A connection of its own, so that none is open when open files are counted.
      const request = get(`${this.#admin}${path}`, { agent: false, headers: { connection: 'close' } }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece: string) => {
          text += piece
        })
        response.on('end', () => resolve(text))
        response.on('error', reject)
      })
      request.on('error', reject)
    })
  }
}

/** In one step: nobody reads half of it. */
function write(file: string, manifests: ReadonlyMap<string, Manifest>): void {
  const text = [...manifests.values()].map((manifest) => JSON.stringify(manifest)).join('\n---\n')
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}
