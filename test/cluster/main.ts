/**
 * `npm run cluster`: a cluster in the foreground until SIGINT or SIGTERM.
 * `npm run cluster -- COMMAND`: runs the command in the cluster that runs already, else in one of its own.
 * `--own COMMAND`: always in one of its own (`npm run test:cluster`).
 */
import { attachCluster, startCluster } from './cluster.ts'
import type { Cluster } from './cluster.ts'
import { findRunning } from './run-folder.ts'
import { ClusterError, UnavailableError, unavailableStatus } from './user-error.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function log(line: string): void {
  process.stderr.write(`${line}\n`)
}

async function main(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args
  if (first === undefined) return stay()
  if (first === '--own') return inOwn(rest)
  const running = findRunning()
  return running === undefined ? inOwn(args) : run(await attachCluster(running), args)
}

async function stay(): Promise<number> {
  const signalled = untilSignal()
  const cluster = await start()
  process.stdout.write(`${howToUse(cluster).join('\n')}\n`)
  const ended = await Promise.race([signalled, cluster.untilEnded().then(() => 'ended' as const)])
  await cluster.stop()
  if (ended !== 'ended') return 0
  log('Cannot go on: the cluster ended by itself. Start it again.')
  return 1
}

async function inOwn(command: readonly string[]): Promise<number> {
  const cluster = await start()
  try {
    return await run(cluster, command)
  } finally {
    await cluster.stop()
  }
}

async function start(): Promise<Cluster> {
  const started = performance.now()
  const cluster = await startCluster(log)
  log(`the cluster is up (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  return cluster
}

/** Signals of a terminal reach the command too; this process waits for it. */
function run(cluster: Cluster, command: readonly string[]): Promise<number> {
  const child = cluster.spawn(command, { stdio: 'inherit' })
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}

function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve(signal))
  })
}

function howToUse(cluster: Cluster): readonly string[] {
  return [
    '',
    `  KUBECONFIG=${cluster.kubeconfig}`,
    '',
    'Its network is a namespace of its own, so commands must run inside, from a second terminal:',
    '',
    '  npm run cluster -- kubectl get pods -A',
    '  npm run cluster -- bash        # a shell in which KUBECONFIG is set',
    '',
    `Logs: ${cluster.folder}/log`,
    'Ctrl-C stops it and leaves nothing.',
  ]
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  log(error instanceof ClusterError ? error.message : String((error as Error).stack))
  process.exitCode = error instanceof UnavailableError ? unavailableStatus : 1
}
