import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checkout } from '../checkout.ts'
import { eventually } from './scene.ts'

// Clusters of their own, started as a person does it, with a folder for temporary files that nobody else uses.

const main = join(checkout, 'build/test/cluster/main.js')

/** Processes with a word in their command line, and it is not this test's. */
function processesOf(word: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return line.includes(word) ? [line] : []
      } catch {
        return []
      }
    })
}

/** What of the machine a cluster could leave behind. */
function traces(scratch: string): object {
  const lines = (program: string, args: readonly string[]): readonly string[] =>
    spawnSync(program, args, { encoding: 'utf8' }).stdout.split('\n')
  return {
    processes: processesOf(scratch),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(scratch)),
    links: lines('ip', ['-o', 'link']).map((line) => line.split(':')[1]),
    networks: lines('ip', ['netns']).length,
    rules: lines('nft', ['list', 'tables']),
    files: readdirSync(scratch),
  }
}

/** Pods of other tests' Gateways may still be on their way out, for as long as they drain. */
async function othersAreGone(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'cluster-rest-'))
  const calm = 12_000
  let last = ''
  let since = performance.now()
  await eventually(
    () => {
      const now = JSON.stringify(traces(scratch))
      if (now !== last) since = performance.now()
      last = now
      return Promise.resolve(performance.now() - since > calm)
    },
    'a time in which no pod comes or goes',
    120_000,
  )
  rmSync(scratch, { recursive: true, force: true })
}

describe('the end of a cluster', () => {
  beforeAll(othersAreGone, 130_000)

  let scratch: string
  let before: object
  let started: ChildProcess | undefined
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'cluster-end-'))
    before = traces(scratch)
  })
  afterEach(() => {
    if (started?.exitCode === null) started.kill('SIGKILL')
    rmSync(scratch, { recursive: true, force: true })
  })

  const start = async (...args: readonly string[]): Promise<ChildProcess> => {
    const { GATEWRIGHT_CLUSTER: _outer, KUBECONFIG: _admin, ...environment } = process.env
    const child = spawn(process.execPath, [main, ...args], { env: { ...environment, TMPDIR: scratch }, stdio: ['ignore', 'pipe', 'pipe'] })
    started = child
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(said)
      return args.length > 0 || said.includes('KUBECONFIG=')
    }, 'the cluster')
    return child
  }
  const runFolders = (): readonly string[] =>
    existsSync(join(scratch, 'gatewright-cluster')) ? readdirSync(join(scratch, 'gatewright-cluster')) : []
  const untilEnded = (child: ChildProcess): Promise<number | null> =>
    child.exitCode === null && child.signalCode === null
      ? new Promise((resolve) => child.once('exit', resolve))
      : Promise.resolve(child.exitCode)

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`leaves nothing after ${signal}`, async () => {
      const child = await start()
      expect(processesOf(scratch).length).toBeGreaterThan(3)
      expect(runFolders().length).toBe(1)
      child.kill(signal)
      expect(await untilEnded(child)).toBe(0)
      expect(traces(scratch)).toEqual(before)
    })
  }

  it('comes with the end of the command that it was started for, and has its exit status', async () => {
    const child = await start('sh', '-c', 'kubectl get nodes -o name | grep -qx node/box && exit 7')
    expect(await untilEnded(child)).toBe(7)
    expect(traces(scratch)).toEqual(before)
  })

  it('comes by itself when its main process is killed, and the next start removes the folder', async () => {
    const child = await start()
    const [left] = runFolders()
    child.kill('SIGKILL')
    await untilEnded(child)
    await eventually(async () => processesOf(scratch).length === 0, 'the end of all processes', 5_000)
    expect(traces(scratch)).toEqual({ ...before, files: ['gatewright-cluster'] })
    const next = await start()
    expect(runFolders()).not.toContain(left)
    next.kill('SIGTERM')
    expect(await untilEnded(next)).toBe(0)
    expect(traces(scratch)).toEqual(before)
  })

  it('is told when a part of it dies', async () => {
    const child = await start()
    const [folder = ''] = runFolders()
    const init = JSON.parse(readFileSync(join(scratch, 'gatewright-cluster', folder, 'init.json'), 'utf8')) as { pid: number }
    process.kill(init.pid, 'SIGKILL')
    expect(await untilEnded(child)).toBe(1)
    expect(traces(scratch)).toEqual(before)
  })
})
