/**
 * test/cluster: a real Kubernetes API server with everything that a Gateway needs around it, on a machine without containers.
 *
 * etcd, kube-apiserver and kube-controller-manager run as they are. What is ours: a node agent that runs pods as processes in
 * network namespaces (node/), and addresses for Services (services/). All of it lives in namespaces of its own (network, mounts,
 * process numbers), whose first process is inside/main.ts. When that process ends, however it ends, the kernel ends the others and
 * takes links, rules and mounts away; it ends with the process that called startCluster. So nothing can be left but one folder
 * (run-folder.ts), which the next start removes.
 *
 * It knows Gatewright only as an image's name (node/images.ts), and nothing of src/ is imported here.
 * Callers: main.ts (`npm run cluster`), conformance/main.ts, and tests (tests/, by `npm run test:cluster`).
 */
import { spawn } from 'node:child_process'
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { createWriteStream, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiClient } from './api-client.ts'
import { haveBinaries } from './programs/binaries.ts'
import type { Binaries } from './programs/binaries.ts'
import { checkout } from './checkout.ts'
import { kubeconfigWithToken, readKubeconfig } from './kubeconfig.ts'
import { identityOf } from './process-identity.ts'
import { demandRequirements, searchPath } from './requirements.ts'
import { createRunFolder, endInit, initOf, removeRunFolder, removeStale, writeInit } from './run-folder.ts'
import { ClusterError } from './user-error.ts'

/** What runs beside the node agent, and can be stopped and started by tests. */
export type ComponentName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager'

export interface Executed {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** How long a start may take before it is given up. */
const patience = 60_000
/** Says to processes inside which cluster they are in. */
const HERE = 'GATEWRIGHT_CLUSTER'

export class Cluster {
  readonly folder: string
  readonly binaries: Binaries
  readonly #owned: ChildProcess | undefined

  constructor(folder: string, binaries: Binaries, owned?: ChildProcess) {
    this.folder = folder
    this.binaries = binaries
    this.#owned = owned
  }

  /** The kubeconfig of an administrator. The API server answers only inside. */
  get kubeconfig(): string {
    return join(this.folder, 'admin.kubeconfig')
  }

  /** Requests as an administrator. Only for a process that runs inside (see `here`). */
  api(): ApiClient {
    return new ApiClient(readKubeconfig(this.kubeconfig))
  }

  /** Starts a program inside, in its network, with KUBECONFIG and a PATH that has kubectl. */
  spawn(command: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [program = '', ...args] = [...this.#entry(options.cwd?.toString() ?? process.cwd()), ...command]
    return spawn(program, args, {
      ...options,
      env: { ...process.env, PATH: this.#searchPath(), [HERE]: this.folder, KUBECONFIG: this.kubeconfig, NO_PROXY: '*', ...options.env },
    })
  }

  /** Runs a program inside to its end; `input` is its standard input. */
  async exec(command: readonly string[], input = ''): Promise<Executed> {
    const child = this.spawn(command, { stdio: ['pipe', 'pipe', 'pipe'] })
    const texts = { stdout: '', stderr: '' }
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text))
    // A program that does not read its input is not at fault.
    child.stdin?.on('error', () => {}).end(input)
    const status = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
    return { status, ...texts }
  }

  /** Runs kubectl; throws when it fails. Returns what it printed. */
  async kubectl(args: readonly string[], input = ''): Promise<string> {
    const { status, stdout, stderr } = await this.exec([this.binaries.kubectl, ...args], input)
    if (status !== 0) throw new Error(`Cannot run kubectl ${args.join(' ')}: it ended with ${status}: ${stderr}`)
    return stdout
  }

  /** Applies YAML, or objects, on the server's side. */
  async apply(manifests: string | readonly object[]): Promise<void> {
    const text = typeof manifests === 'string' ? manifests : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests })
    await this.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], text)
  }

  /** Writes a kubeconfig with a token of a ServiceAccount that exists, and returns its path. */
  async kubeconfigOf(namespace: string, serviceAccount: string): Promise<string> {
    const token = await this.kubectl(['create', 'token', serviceAccount, '--namespace', namespace, '--duration', '8h'])
    const path = join(this.folder, `${namespace}.${serviceAccount}.kubeconfig`)
    writeFileSync(path, kubeconfigWithToken(readKubeconfig(this.kubeconfig), token.trim()), { mode: 0o600 })
    return path
  }

  /** Ends a component with SIGKILL; `startComponent` brings it back with its data. */
  async stopComponent(name: ComponentName): Promise<void> {
    await this.#control('POST', `/components/${name}/stop`)
  }

  async startComponent(name: ComponentName): Promise<void> {
    await this.#control('POST', `/components/${name}/start`)
  }

  /** Resident memory of each component and of the node agent, in bytes. */
  async memory(): Promise<Readonly<Record<string, number>>> {
    return JSON.parse(await this.#control('GET', '/memory')) as Record<string, number>
  }

  /** Ends everything and leaves nothing. Only the process that started a cluster may. */
  async stop(): Promise<void> {
    if (this.#owned === undefined) throw new Error('Cannot stop the cluster: only the process that started it may')
    await endInit(this.folder)
    await this.untilEnded()
    removeRunFolder(this.folder)
  }

  /** Resolves when the cluster has ended; at once when this process did not start it. */
  async untilEnded(): Promise<void> {
    const owned = this.#owned
    if (owned === undefined || owned.exitCode !== null || owned.signalCode !== null) return
    await new Promise((resolve) => owned.once('exit', resolve))
  }

  #searchPath(): string {
    return [dirname(this.binaries.kubectl), searchPath()].join(delimiter)
  }

  #entry(cwd: string): readonly string[] {
    if (isHere(this.folder)) return []
    const init = initOf(this.folder)
    if (init === undefined) throw new ClusterError(`Cannot enter the cluster: it must run, got nothing in ${this.folder}`)
    // Entering the mount namespace leads to its root folder; the shell goes back.
    return ['nsenter', '--target', String(init.pid), '--net', '--mount', '--pid', '--', 'sh', '-c', 'cd "$0" && exec "$@"', cwd]
  }

  #control(method: string, path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: join(this.folder, 'control.sock'), method, path }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('end', () => {
          if (response.statusCode === 200) resolve(text)
          else reject(new Error(`Cannot ${method} ${path}: the cluster answered ${response.statusCode} ${text}`))
        })
      })
      asked.on('error', reject).end()
    })
  }
}

/** Starts a cluster that lives until `stop()`, or until this process ends. `log` gets a line for each thing done. */
export async function startCluster(log: (line: string) => void): Promise<Cluster> {
  demandRequirements()
  await removeStale(log)
  const binaries = await haveBinaries(log)
  const folder = createRunFolder()
  const inside = startInside(folder, binaries)
  try {
    await untilReady(folder, inside)
  } catch (error) {
    await endInit(folder)
    inside.kill('SIGKILL')
    removeRunFolder(folder)
    throw error
  }
  return new Cluster(folder, binaries, inside)
}

/** A cluster that another process started. */
export async function attachCluster(folder: string): Promise<Cluster> {
  return new Cluster(folder, await haveBinaries(() => {}))
}

/** The cluster that this process runs in (`npm run test:cluster`, `npm run cluster -- COMMAND`). */
export async function here(): Promise<Cluster> {
  const folder = process.env[HERE]
  if (folder === undefined) throw new ClusterError('Cannot find the cluster: this must run inside one. Run: npm run test:cluster')
  return attachCluster(folder)
}

function isHere(folder: string): boolean {
  return process.env[HERE] === folder
}

/** Both tools hand death on: when this process ends, `unshare` does, and with it the first process inside. */
function startInside(folder: string, binaries: Binaries): ChildProcess {
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc']
  const main = join(checkout, 'build/test/cluster/inside/main.js')
  const args = ['--pdeathsig', 'KILL', 'unshare', ...namespaces, process.execPath, main, folder, JSON.stringify(binaries)]
  const child = spawn('setpriv', args, {
    cwd: checkout,
    detached: true,
    env: { ...process.env, PATH: searchPath() },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = createWriteStream(join(folder, 'log', 'node.log'))
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  return child
}

async function untilReady(folder: string, inside: ChildProcess): Promise<void> {
  const until = performance.now() + patience
  while (!existsSync(join(folder, 'ready'))) {
    if (inside.exitCode !== null || inside.signalCode !== null)
      throw new ClusterError(`Cannot start the cluster: it ended with ${inside.exitCode ?? inside.signalCode}. ${whatWasSaid(folder)}`)
    if (performance.now() > until)
      throw new ClusterError(`Cannot start the cluster: it must be up in ${patience / 1000} s. ${whatWasSaid(folder)}`)
    if (initOf(folder) === undefined) noteInit(folder, inside)
    await delay(20)
  }
}

/** The one child of `unshare`. */
function noteInit(folder: string, inside: ChildProcess): void {
  try {
    const children = readFileSync(`/proc/${inside.pid}/task/${inside.pid}/children`, 'utf8').trim()
    const init = identityOf(Number(children))
    if (children !== '' && init !== undefined) writeInit(folder, init)
  } catch {
    // It ended already, which the caller sees.
  }
}

function whatWasSaid(folder: string): string {
  const files = ['node', 'etcd', 'kube-apiserver', 'kube-controller-manager'].map((name) => join(folder, 'log', `${name}.log`))
  const tails = files.filter((file) => existsSync(file)).map((file) => `${file}:\n${readFileSync(file, 'utf8').slice(-1500)}`)
  return `What was said last:\n${tails.join('\n')}`
}
