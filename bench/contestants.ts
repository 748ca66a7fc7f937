/** Starts the proxies side by side, each pinned to the first core, and finds the processes whose CPU time counts. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { nginxBackendConfig } from './backend.ts'
import { childrenOf } from './process-cpu.ts'
import { envoyConfig, nginxConfig, type Ports } from './proxy-configs.ts'
import { backendPort, manifests, serviceMapping } from './workload.ts'

export interface Contestant {
  readonly name: string
  readonly version: string
  readonly ports: Ports
  /** The processes whose CPU time is the proxy's. */
  readonly pids: readonly number[]
  readonly process: ChildProcess
}

/** A program's path: from the environment (NGINX, ENVOY, WRK), else from PATH; undefined when it is not installed. */
export function programPath(name: string): string | undefined {
  const named = process.env[name.toUpperCase()]
  if (named !== undefined) return named
  const found = spawnSync('sh', ['-c', `command -v ${name} || ls /usr/sbin/${name} 2>/dev/null`], { encoding: 'utf8' }).stdout.trim()
  return found === '' ? undefined : found
}

const proxyCore = '0'
export const loadCore = '1'

export class Contest {
  readonly folder: string
  readonly contestants: Contestant[] = []
  readonly missing: string[] = []
  readonly #processes: ChildProcess[] = []

  constructor(folder: string) {
    this.folder = folder
  }

  async startBackend(): Promise<void> {
    const nginx = programPath('nginx')
    if (nginx === undefined) {
      this.#start('backend', loadCore, process.execPath, [join(import.meta.dirname, 'backend.js')])
    } else {
      const config = join(this.folder, 'backend.conf')
      writeFileSync(config, nginxBackendConfig(this.folder))
      this.#start('backend', loadCore, nginx, ['-c', config, '-p', this.folder])
    }
    await listening(backendPort)
  }

  async startGatewright(root: string, certificate: { readonly cert: string; readonly key: string }): Promise<Contestant> {
    const ports = { http: 19201, https: 19202 }
    const manifestFolder = join(this.folder, 'manifests')
    mkdirSync(manifestFolder)
    writeFileSync(join(manifestFolder, 'bench.yaml'), manifests(certificate, ports))
    const child = this.#start('gatewright', proxyCore, process.execPath, [
      join(root, 'dist/cli/main.js'),
      'run',
      manifestFolder,
      '--service',
      serviceMapping,
      '--access-log',
      'off',
      '--admin-port',
      '19203',
    ])
    await listening(ports.https)
    const contestant = { name: 'gatewright', version: process.version, ports, pids: [child.pid ?? 0], process: child }
    this.contestants.push(contestant)
    return contestant
  }

  async startNginx(): Promise<void> {
    const program = programPath('nginx')
    if (program === undefined) return void this.missing.push('nginx')
    const ports = { http: 19211, https: 19212 }
    const config = join(this.folder, 'nginx.conf')
    writeFileSync(config, nginxConfig(this.folder, ports))
    const child = this.#start('nginx', proxyCore, program, ['-c', config, '-p', this.folder])
    await listening(ports.https)
    const version = spawnSync(program, ['-v'], { encoding: 'utf8' }).stderr.trim()
    this.contestants.push({ name: 'nginx', version, ports, pids: childrenOf(child.pid ?? 0), process: child })
  }

  async startEnvoy(): Promise<void> {
    const program = programPath('envoy')
    if (program === undefined) return void this.missing.push('envoy')
    const ports = { http: 19221, https: 19222 }
    const config = join(this.folder, 'envoy.json')
    writeFileSync(config, envoyConfig(this.folder, ports))
    const child = this.#start('envoy', proxyCore, program, [
      '-c',
      config,
      '--concurrency',
      '1',
      '--log-level',
      'error',
      '--disable-hot-restart',
    ])
    await listening(ports.https)
    const version = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim()
    // The PyPI package starts the real program as a child where it cannot replace itself.
    const pids = [child.pid ?? 0, ...childrenOf(child.pid ?? 0)]
    this.contestants.push({ name: 'envoy', version, ports, pids, process: child })
  }

  async stop(): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGTERM')
      await Promise.race([once(child, 'exit'), delay(3000).then(() => child.kill('SIGKILL'))])
    }
  }

  #start(name: string, core: string, command: string, args: readonly string[]): ChildProcess {
    if (!existsSync(command)) throw new Error(`Cannot start ${name}: ${command} must exist`)
    const log = openSync(join(this.folder, `${name}.out`), 'a')
    const child = spawn('taskset', ['-c', core, command, ...args], { stdio: ['ignore', log, log] })
    this.#processes.push(child)
    return child
  }
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (open) return
    await delay(100)
  }
  throw new Error(`Cannot measure: something must listen on 127.0.0.1:${port} within 10 s`)
}
