// `npm run test:cluster`: the tests that need a cluster, in one of their own. The last line is `N passed, N failed`.
// Exit status 3, and one line that says why: no cluster can be had here (user-error.ts of test/cluster).
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './setup.mjs'

const scratch = mkdtempSync(join(tmpdir(), 'gatewright-cluster-tests-'))
const report = join(scratch, 'tests.json')
const vitest = [process.execPath, join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'vitest.cluster.config.ts']
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
const cluster = [join(root, 'scripts/cluster.mjs'), 'main', '--own', ...vitest, ...reporters, ...process.argv.slice(2)]

try {
  const { status } = spawnSync(process.execPath, cluster, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  const { passed, failed } = counts()
  if (status === 3) process.stdout.write('left out: the tests that need a cluster\n')
  process.stdout.write(`${passed} passed, ${status === 0 || status === 3 ? failed : Math.max(failed, 1)} failed\n`)
  process.exitCode = status ?? 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

function counts() {
  try {
    const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(readFileSync(report, 'utf8'))
    return { passed, failed }
  } catch {
    return { passed: 0, failed: 0 }
  }
}
