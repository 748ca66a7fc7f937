/** The official report and the run as a table for people. */
import type { TestEnd } from './suite-run.ts'

/** The parts of the report (sigs.k8s.io/gateway-api/conformance/apis/v1) that the table shows. */
export interface Report {
  readonly profiles?: readonly Profile[]
  readonly succeededProvisionalTests?: readonly string[]
}

interface Profile {
  readonly name: string
  readonly core: Level
  readonly extended?: Level & { readonly unsupportedFeatures?: readonly string[] }
}

interface Level {
  readonly result: string
  readonly statistics: { readonly Passed: number; readonly Skipped: number; readonly Failed: number }
  readonly failedTests?: readonly string[]
  readonly skippedTests?: readonly string[]
}

const slowest = 10

/** Lines. `seconds` is the time of the whole run. */
export function summaryOf(report: Report | undefined, tests: readonly TestEnd[], seconds: number): readonly string[] {
  const rows = (report?.profiles ?? []).flatMap((profile) => [
    rowOf(profile.name, 'core', profile.core),
    ...(profile.extended === undefined ? [] : [rowOf('', 'extended', profile.extended)]),
  ])
  const failed = tests.filter(({ result }) => result === 'FAIL').map(({ name }) => name)
  const longest = [...tests].sort((a, b) => b.seconds - a.seconds).slice(0, slowest)
  const inTests = tests.reduce((sum, test) => sum + test.seconds, 0)
  return [
    '',
    ...(rows.length === 0 ? ['There is no report.'] : table([['profile', 'level', 'result', 'passed', 'failed', 'skipped'], ...rows])),
    '',
    ...(failed.length === 0 ? [] : ['Failed', ...failed.map((name) => `  ${name}`), '']),
    ...(longest.length === 0
      ? []
      : ['Where the time went', ...longest.map(({ name, seconds: s }) => `  ${s.toFixed(1).padStart(6)} s  ${name}`)]),
    `  ${inTests.toFixed(1).padStart(6)} s  in ${tests.length} tests, ${(seconds - inTests).toFixed(1)} s beside them`,
  ]
}

function rowOf(profile: string, level: string, { result, statistics }: Level): readonly string[] {
  const { Passed, Failed, Skipped } = statistics
  return [profile, level, result, String(Passed), String(Failed), String(Skipped)]
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
