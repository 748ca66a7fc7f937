/**
 * `npm run bench:control [-- --quick]`: how fast the controller follows a real API server, and what it takes for it. Starts a cluster of its
 * own, installs Gatewright with the manifests of deploy/, and measures inside (control.ts). Exit status 1: a target was missed.
 */
import { join } from 'node:path'
import { checkout } from '../checkout.ts'
import { startCluster } from '../cluster.ts'
import { installGatewright } from '../conformance/install.ts'
import { ClusterError } from '../user-error.ts'

async function main(args: readonly string[]): Promise<number> {
  const cluster = await startCluster((line) => process.stdout.write(`${line}\n`))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void cluster.stop().then(() => process.exit(130)))
  try {
    await installGatewright(cluster)
    const inside = join(checkout, 'build/test/cluster/bench/control.js')
    const child = cluster.spawn([process.execPath, inside, ...args], { stdio: 'inherit' })
    return await new Promise((resolve, reject) => child.on('error', reject).on('exit', (code) => resolve(code ?? 1)))
  } finally {
    await cluster.stop()
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof ClusterError ? error.message : String((error as Error).stack)}\n`)
  process.exitCode = 1
}
