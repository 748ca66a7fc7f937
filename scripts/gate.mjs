// `npm test`: the whole gate. `npm run ok` (--quick): its quick part, without integration tests.
// Every step runs even when an earlier one failed; the last line is `N passed, N failed`,
// and the one before names what was left out, if anything.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { root, setup } from './setup.mjs'

const quick = process.argv.includes('--quick')
const bin = (name) => join(root, 'node_modules', '.bin', name)
const scratch = mkdtempSync(join(tmpdir(), 'gatewright-gate-'))
const testReport = join(scratch, 'tests.json')

const checks = [
  ['types', bin('tsc'), ['-p', 'tsconfig.json']],
  ['lint', bin('oxlint'), ['--type-aware', '--deny-warnings', '.']],
  ['format', bin('oxfmt'), ['--check', '.']],
  ['unused code', bin('knip'), []],
]
const tests = [
  'vitest',
  bin('vitest'),
  [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${testReport}`,
    ...(quick ? ['test/unit', 'test/golden', 'test/spec'] : []),
  ],
]

function main() {
  setup((line) => process.stdout.write(`${line}\n`))
  let passed = 0
  let failed = 0
  for (const [name, command, args] of checks) {
    if (step(name, command, args)) passed += 1
    else failed += 1
  }
  const testsOk = step(...tests)
  const counts = testCounts()
  passed += counts.passed
  failed += Math.max(counts.failed, testsOk ? 0 : 1)
  if (counts.passed === 0) failed += 1
  if (counts.leftOut !== '') process.stdout.write(`left out: ${counts.leftOut}\n`)
  process.stdout.write(`${passed} passed, ${failed} failed\n`)
  return failed === 0 ? 0 : 1
}

function step(name, command, args) {
  const started = process.hrtime.bigint()
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  const seconds = Number((process.hrtime.bigint() - started) / 1_000_000n) / 1000
  const ok = result.status === 0
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)\n`)
  return ok
}

function testCounts() {
  try {
    const report = JSON.parse(readFileSync(testReport, 'utf8'))
    return { passed: report.numPassedTests, failed: report.numFailedTests, leftOut: leftOut(report.testResults) }
  } catch {
    return { passed: 0, failed: 0, leftOut: '' }
  }
}

/** The tests that were skipped, counted by folder; '' when there were none. */
function leftOut(files) {
  const folders = new Map()
  for (const { name, assertionResults } of files) {
    const folder = dirname(relative(root, name))
    const skipped = assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed').length
    if (skipped > 0) folders.set(folder, (folders.get(folder) ?? 0) + skipped)
  }
  return [...folders].map(([folder, count]) => `${count} in ${folder}`).join(', ')
}

let status = 1
try {
  status = main()
} catch (error) {
  process.stdout.write(`${error.message}\n0 passed, 1 failed\n`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
process.exit(status)
