/** Runs test/golden/routing/*.yaml: each states one rule and shows it on a table of requests (the language is in routing/scenario.ts). */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/routing/compile.ts'
import { explain } from '../../src/routing/explain.ts'
import type { Router } from '../../src/routing/router.ts'
import { type Expectation, parseScenario } from './routing/scenario.ts'

const folder = join(import.meta.dirname, 'routing')
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'))

describe('routing', () => {
  it.each(files)('%s', (file) => {
    const yaml = readFileSync(join(folder, file), 'utf8')
    expect(yaml, 'the first comment states the rule and its place in the specification').toMatch(/^# .+\n/)
    const { config, placement, expectations } = parseScenario(yaml)
    expect(expectations.length).toBeGreaterThan(0)
    const router = compile(config, undefined, placement)
    const actual = expectations.map((expectation) => ({ ...expectation, outcome: outcomeOf(router, expectation) }))
    const wrong = actual.filter(({ outcome }, i) => outcome !== expectations[i]?.outcome)
    expect(actual.map(asLine), wrong.map((each) => whyOf(router, each)).join('\n\n')).toEqual(expectations.map(asLine))
  })
})

function asLine({ line, outcome }: Expectation): string {
  return `${line.slice(0, line.lastIndexOf('->'))}-> ${outcome}`
}

/** `9 stable, 1 canary` when the request is sent more than once. */
function outcomeOf(router: Router, { times, request }: Expectation): string {
  const counts = new Map<string, number>()
  for (let i = 0; i < times; i++) {
    const outcome = decide(router, request)
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  }
  return [...counts].map(([outcome, count]) => (times === 1 ? outcome : `${count} ${outcome}`)).join(', ')
}

function decide(router: Router, { scheme, port, request }: Expectation['request']): string {
  const listener = router.ports.get(port)?.listenerFor(request.host)
  const match = listener?.decide(request)
  if (listener === undefined || match === undefined) return '404'
  const { filters } = match.rule
  if (filters?.answer?.kind === 'fail') return '500'
  if (filters?.answer?.kind === 'redirect') {
    const { redirect } = filters.answer
    return `${redirect.status} ${redirect.location(request, scheme, listener.placedPort, match.prefixLength)}`
  }
  const backend = match.rule.chooseBackend()
  if (backend?.kind !== 'pool') return '500'
  const copies = (filters?.mirrors ?? []).filter((mirror) => mirror.take()).map((mirror) => ` & ${mirror.pool}`)
  const rewrite = filters?.rewrite
  if (rewrite === undefined) return backend.pool + copies.join('')
  const path = rewrite.path === undefined ? request.path : rewrite.path(request.path, match.prefixLength)
  return `${backend.pool} as ${rewrite.hostname === undefined ? '' : `//${rewrite.hostname}`}${path}${copies.join('')}`
}

function whyOf(router: Router, { line, request }: Expectation): string {
  const { winner, losers, misses } = explain(router, request.port, request.request)
  return [
    line,
    `  goes to ${winner?.rule ?? 'nobody'}`,
    ...losers.map(({ rule, text }) => `  ${rule} ${text}`),
    ...misses.map(({ text }) => `  ${text}`),
  ].join('\n')
}
