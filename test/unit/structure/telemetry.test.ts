import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DataPlane } from '../../../src/proxy/data-plane.ts'
import { dataPlaneMetrics } from '../../../src/proxy/metrics.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { workerMetrics } from '../../../src/workers/worker-metrics.ts'

// docs/telemetry.md promises names to people's dashboards.

const root = resolve(import.meta.dirname, '../../..')
const page = readFileSync(join(root, 'docs/telemetry.md'), 'utf8')
const named = new Set([...page.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''))

describe('docs/telemetry.md', () => {
  it('names every metric of the data plane, and no other', async () => {
    const plane = new DataPlane({ logger: silentLogger })
    const nothing = { serving: () => 0, ends: () => 0, refused: () => 0, connections: () => [] }
    const names = [...dataPlaneMetrics(plane), ...workerMetrics(nothing)].map(({ name }) => name)
    await plane.drain(0)
    expect([...named].filter((name) => name.startsWith('gatewright_')).sort()).toEqual([...new Set(names)].sort())
  })

  it('names every field of the access log', () => {
    const text = readFileSync(join(root, 'src/telemetry/access-record.ts'), 'utf8')
    const fields = [...text.matchAll(/^ {2}readonly (\w+):/gm)].map((match) => match[1] ?? '')
    expect(fields.length).toBeGreaterThan(20)
    expect(fields.filter((field) => !named.has(field))).toEqual([])
  })
})
