/**
 * The programs of the cluster, built once and kept outside the work tree.
 *
 *     CACHE/MODULE-HASH/PROGRAM       HASH of the module's files and of what is built from it
 *     CACHE/MODULE-HASH/sources.json  folders of the modules that are read as they are
 *
 * A folder appears whole, by one rename. Two checkouts that need the same build wait for each other (`CACHE/MODULE-HASH.lock`).
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive, readIdentity, thisProcess } from '../process-identity.ts'
import { findProgram } from '../requirements.ts'
import { ClusterError } from '../user-error.ts'
import { findGo } from './go.ts'
import type { Go } from './go.ts'
import { goModules } from './modules.ts'
import type { GoModule } from './modules.ts'

export interface Binaries {
  readonly etcd: string
  readonly apiServer: string
  readonly controllerManager: string
  readonly kubectl: string
  readonly echoBasic: string
  readonly conformance: string
  /** Folder of the module sigs.k8s.io/gateway-api, with its CRDs. */
  readonly gatewayApi: string
  /** Folder of the module sigs.k8s.io/gateway-api/conformance, with its manifests. */
  readonly suite: string
}

/** Builds what is missing; `log` gets a line for each thing done. */
export async function haveBinaries(log: (line: string) => void): Promise<Binaries> {
  const cache = cacheFolders()
  mkdirSync(cache.programs, { recursive: true })
  const kubectl = findProgram('kubectl')
  let go: Go | undefined
  const folders: Record<string, string> = {}
  for (const module of goModules(kubectl === undefined)) {
    const folder = join(cache.programs, `${module.name}-${hashOf(module)}`)
    if (!isWhole(folder, module)) {
      go ??= findGo(cache.go, log)
      await buildAlone(module, folder, go, log)
    }
    folders[module.name] = folder
  }
  const { kubernetes = '', etcd = '', suite = '' } = folders
  const sources = readSources(suite)
  return {
    etcd: join(etcd, 'etcd'),
    apiServer: join(kubernetes, 'kube-apiserver'),
    controllerManager: join(kubernetes, 'kube-controller-manager'),
    kubectl: kubectl ?? join(kubernetes, 'kubectl'),
    echoBasic: join(suite, 'echo-basic'),
    conformance: join(suite, 'conformance.test'),
    gatewayApi: sources['sigs.k8s.io/gateway-api'] ?? '',
    suite: sources['sigs.k8s.io/gateway-api/conformance'] ?? '',
  }
}

/** `GATEWRIGHT_CLUSTER_CACHE` names a folder for both; else Go lies beside the programs, where other tests look for it too. */
function cacheFolders(): { readonly programs: string; readonly go: string } {
  const named = process.env['GATEWRIGHT_CLUSTER_CACHE']
  if (named !== undefined) return { programs: named, go: named }
  const go = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'gatewright')
  return { programs: join(go, 'cluster'), go }
}

function hashOf(module: GoModule): string {
  const hash = createHash('sha256').update(JSON.stringify([module.products, module.sources, process.arch]))
  for (const file of readdirSync(module.folder).sort()) hash.update(`\n${file}\n`).update(readFileSync(join(module.folder, file)))
  return hash.digest('hex').slice(0, 16)
}

function isWhole(folder: string, module: GoModule): boolean {
  return existsSync(folder) && (module.sources.length === 0 || Object.values(readSources(folder)).every((source) => existsSync(source)))
}

function readSources(folder: string): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(join(folder, 'sources.json'), 'utf8')) as Record<string, string>
}

async function buildAlone(module: GoModule, folder: string, go: Go, log: (line: string) => void): Promise<void> {
  const lock = `${folder}.lock`
  await takeLock(lock, log)
  try {
    if (!isWhole(folder, module)) await build(module, folder, go, log)
  } finally {
    rmSync(lock, { force: true })
  }
}

async function takeLock(lock: string, log: (line: string) => void): Promise<void> {
  let told = false
  for (;;) {
    try {
      writeFileSync(lock, JSON.stringify(thisProcess()), { flag: 'wx' })
      return
    } catch {
      const holder = readIdentity(lock)
      if (holder !== undefined && !isAlive(holder)) rmSync(lock, { force: true })
      if (!told) log('waiting for another build of the same programs')
      told = true
      await delay(500)
    }
  }
}

async function build(module: GoModule, folder: string, go: Go, log: (line: string) => void): Promise<void> {
  removeRemains(folder)
  const draft = mkdtempSync(`${folder}.draft-`)
  const environment = {
    ...process.env,
    CGO_ENABLED: '0',
    GOTOOLCHAIN: go.toolchain,
    GOWORK: 'off',
    GOFLAGS: '-mod=readonly -buildvcs=false',
  }
  try {
    for (const {
      program,
      arguments: [command = '', ...rest],
    } of module.products) {
      const started = performance.now()
      log(`building ${program} with Go ${go.version}`)
      // It ends with this process. Others work on the machine too, and a build has time.
      await run(
        'setpriv',
        ['--pdeathsig', 'TERM', 'nice', '-n', '10', go.program, command, '-o', join(draft, program), ...rest],
        module.folder,
        environment,
      )
      log(`built ${program} (${((performance.now() - started) / 1000).toFixed(0)} s)`)
    }
    if (module.sources.length > 0) writeFileSync(join(draft, 'sources.json'), JSON.stringify(foldersOf(module, go, environment), null, 2))
    renameSync(draft, folder)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** What lies there is not whole, and drafts are of builds that were broken off: the lock is ours. */
function removeRemains(folder: string): void {
  const drafts = readdirSync(dirname(folder)).filter((name) => name.startsWith(`${basename(folder)}.draft-`))
  for (const path of [folder, ...drafts.map((name) => join(dirname(folder), name))]) rmSync(path, { recursive: true, force: true })
}

function foldersOf(module: GoModule, go: Go, environment: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const asked = spawnSync(go.program, ['mod', 'download', '-json', ...module.sources], {
    cwd: module.folder,
    env: environment,
    encoding: 'utf8',
  })
  const found = [...asked.stdout.matchAll(/"Path": "([^"]+)"[^}]*?"Dir": "([^"]+)"/gs)].map(([, path = '', folder = '']) => [path, folder])
  if (found.length !== module.sources.length)
    throw new ClusterError(
      `Cannot fetch ${module.sources.join(', ')}: go mod download must name their folders, got ${asked.stderr || asked.stdout}`,
    )
  return Object.fromEntries(found) as Record<string, string>
}

function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new ClusterError(`Cannot build the cluster: ${args.slice(4).join(' ')} must end with 0, got ${code ?? signal}.`))
    })
  })
}
