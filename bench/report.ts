/** The tables of a run, for people, and its file, for comparisons. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { growth, type Memory, memoryMet, mostGrowth, mostMegabytes } from './memory.ts'
import { type Cell, ratio, type Scenario } from './scenario.ts'

export function scenarioLines(scenario: Scenario, cells: readonly Cell[]): string[] {
  const lines = [`${scenario.name} (64 connections; CPU microseconds of the proxy's process for each request, median of the rounds)`]
  for (const { proxy, cpuPerRequest, requestsPerSecond, errors } of cells) {
    const suffix = errors === 0 ? '' : `  ${errors} ERRORS: nothing is measured`
    lines.push(
      `  ${proxy.padEnd(22)} ${cpuPerRequest.toFixed(1).padStart(6)} us  ${requestsPerSecond.toFixed(0).padStart(6)} requests/s${suffix}`,
    )
  }
  const left = cells[0]?.disturbed ?? 0
  if (left > 0) lines.push(`  ${left} of ${left + (cells[0]?.rounds.length ?? 0)} rounds left out: other processes took the machine`)
  for (const [other, target] of Object.entries(scenario.targets)) {
    const value = ratio(cells, other)
    if (value === undefined) lines.push(`  ? x ${other} (target <= ${target}): not measured`)
    else lines.push(`  ${value.toFixed(2)} x ${other} (target <= ${target}): ${verdict(value <= target)}`)
  }
  return lines
}

/** Proxies that are not installed miss nothing; errors miss everything. */
export function scenarioMet(scenario: Scenario, cells: readonly Cell[]): boolean {
  return (
    cells.every(({ errors }) => errors === 0) &&
    Object.entries(scenario.targets).every(([other, target]) => (ratio(cells, other) ?? 0) <= target)
  )
}

export function memoryLines(memory: Memory): string[] {
  const { requests, before, quarters, errors } = memory
  return [
    `memory: ${before} MB after the scenarios above, then after each quarter of ${requests} small GETs ${quarters.join(', ')} MB${errors === 0 ? '' : `, ${errors} ERRORS`}`,
    `  at most ${Math.max(...quarters)} MB (target <= ${mostMegabytes}), last quarter ${growth(quarters).toFixed(1)} MB above the first (target <= ${mostGrowth}): ${verdict(memoryMet(memory))}`,
  ]
}

/** What is about to be measured: the commit, with `-changed` behind it when the working tree differs. */
export function measuredCommit(root: string): string {
  const git = (...args: string[]): string => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout.trim()
  const changed = git('status', '--porcelain', '--', 'src', 'bench', ':!bench/results', 'package-lock.json') === '' ? '' : '-changed'
  return `${git('rev-parse', '--short', 'HEAD') || 'no-commit'}${changed}`
}

/** Writes bench/results/<commit>.json and returns that name. */
export function writeResults(root: string, commit: string, results: object): string {
  const cores = cpus()
  const machine = { cpu: cores[0]?.model, cores: cores.length, node: process.version, date: new Date().toISOString().slice(0, 10) }
  mkdirSync(join(root, 'bench/results'), { recursive: true })
  const name = `bench/results/${commit}.json`
  writeFileSync(join(root, name), `${JSON.stringify({ commit, machine, ...results }, rounded, 2)}\n`)
  return name
}

/** Four digits behind the point are more than is known. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1e4) / 1e4 : value
}

function verdict(met: boolean): string {
  return met ? 'met' : 'MISSED'
}
