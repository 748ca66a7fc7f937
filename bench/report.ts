/** The tables of a run, for people, and its file, for comparisons. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import type { FilterCost } from './filter-cost.ts'
import { plainRow } from './filter-rows.ts'
import { growth, type Memory, memoryMet, mostGrowth, mostMegabytes } from './memory.ts'
import { type Cell, ratio, type Scenario } from './scenario.ts'

export function scenarioLines(scenario: Scenario, cells: readonly Cell[]): string[] {
  const lines = [`${scenario.name} (${what[scenario.load.kind]}; CPU microseconds of the proxy's process, median of the rounds)`]
  for (const { proxy, cpuPerRequest, requestsPerSecond, busy, errors } of cells) {
    lines.push(
      `  ${proxy.padEnd(22)} ${cpuPerRequest.toFixed(1).padStart(6)} us  ${requestsPerSecond.toFixed(0).padStart(6)}/s, ${percent(busy)} busy${errorsText(errors)}`,
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

const what = {
  http1: 'a request of 64 connections',
  http2: 'a request of 16 connections with 16 streams each',
  grpc: 'a call of 16 connections with 16 streams each, h2c on both sides',
  websocket: 'a message of 125 bytes there and back, 64 connections',
} as const

export function filterLines(costs: readonly FilterCost[]): string[] {
  const lines = ['filters (the small GET through rules with one filter each; what it adds to the GET without, median of the rounds)']
  for (const { row, cpuPerRequest, added, errors, met } of costs) {
    const target = row.most === undefined ? '' : ` (target <= ${percent(row.most)}): ${verdict(met)}`
    const cost = row === plainRow ? '' : `  ${added >= 0 ? '+' : ''}${percent(added)}`
    lines.push(`  ${row.name.padEnd(36)} ${cpuPerRequest.toFixed(1).padStart(6)} us${cost}${target}${errorsText(errors)}`)
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
    `memory: ${before} MB after the HTTP/1.1 above, then after each quarter of ${requests} small GETs ${quarters.join(', ')} MB${errors === 0 ? '' : `, ${errors} ERRORS`}`,
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

function errorsText(errors: number): string {
  return errors === 0 ? '' : `  ${errors} ERRORS: nothing is measured`
}

function percent(part: number): string {
  return `${(part * 100).toFixed(Math.abs(part) < 0.1 ? 1 : 0)} %`
}

function verdict(met: boolean): string {
  return met ? 'met' : 'MISSED'
}
