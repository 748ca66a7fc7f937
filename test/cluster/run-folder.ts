/**
 * The folder of one running cluster, in the machine's folder for temporary files:
 *
 *     gatewright-cluster/ID/owner.json        the process that started it; when it is gone, so is the cluster
 *     gatewright-cluster/ID/init.json         the first process inside, in whose namespaces all others live
 *     gatewright-cluster/ID/admin.kubeconfig
 *     gatewright-cluster/ID/log/              of etcd, the API server, the controller manager, the node
 *     gatewright-cluster/ID/control.sock      stops and starts components (inside/control.ts)
 *     gatewright-cluster/ID/ready             appears when the cluster is up
 *     gatewright-cluster/ID/data/             empty from outside: the data lie in memory, in a mount that only the cluster sees
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { checkout } from './checkout.ts'
import { isAlive, pidNamespace, readIdentity, thisProcess } from './process-identity.ts'
import type { ProcessIdentity } from './process-identity.ts'

interface Owner extends ProcessIdentity {
  readonly checkout: string
  readonly pidNamespace: string
}

const all = join(tmpdir(), 'gatewright-cluster')

export function createRunFolder(): string {
  const folder = join(all, randomBytes(4).toString('hex'))
  mkdirSync(all, { recursive: true, mode: 0o755 })
  mkdirSync(folder, { mode: 0o700 })
  mkdirSync(join(folder, 'log'))
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'owner.json'), JSON.stringify({ ...thisProcess(), checkout, pidNamespace: pidNamespace() }))
  return folder
}

export function writeInit(folder: string, init: ProcessIdentity): void {
  writeFileSync(join(folder, 'init.json'), JSON.stringify(init))
}

/** The process to enter; undefined when it does not run. */
export function initOf(folder: string): ProcessIdentity | undefined {
  const init = readIdentity(join(folder, 'init.json'))
  return init !== undefined && isAlive(init) ? init : undefined
}

/** The folder of a cluster of this checkout that is up, if there is one. */
export function findRunning(): string | undefined {
  return folders().find(
    (folder) => existsSync(join(folder, 'ready')) && ownerOf(folder)?.checkout === checkout && initOf(folder) !== undefined,
  )
}

/** Ends and removes what crashed runs left; the kernel has usually ended their processes together with their owner. */
export async function removeStale(log: (line: string) => void): Promise<void> {
  for (const folder of folders()) {
    const owner = ownerOf(folder)
    // Within another numbering of processes (a cluster inside a cluster) nobody can be judged by number.
    if (owner !== undefined && (owner.pidNamespace !== pidNamespace() || isAlive(owner))) continue
    // A folder without its owner's file is one that is being made, for a moment.
    if (owner === undefined && (await appears(join(folder, 'owner.json'), 200))) continue
    log(`removing what a cluster that ended badly left: ${folder}`)
    await endInit(folder)
    removeRunFolder(folder)
  }
}

/** The kernel ends all processes of a PID namespace with its first one, and takes namespaces, links, mounts and rules away with them. */
export async function endInit(folder: string): Promise<void> {
  const init = initOf(folder)
  if (init === undefined) return
  process.kill(init.pid, 'SIGKILL')
  while (isAlive(init)) await delay(10)
}

export function removeRunFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  try {
    rmdirSync(all)
  } catch {
    // Another cluster runs.
  }
}

function folders(): readonly string[] {
  return existsSync(all) ? readdirSync(all).map((id) => join(all, id)) : []
}

async function appears(path: string, within: number): Promise<boolean> {
  await delay(within)
  return existsSync(path)
}

function ownerOf(folder: string): Owner | undefined {
  return readIdentity(join(folder, 'owner.json')) as Owner | undefined
}
