import { describe, expect, it } from 'vitest'
import { collect, type CollectedFamily, counted, familiesOf, merge } from '../../../src/telemetry/many-processes.ts'
import { createMetrics, type InProcesses, type Labels, type MetricFamily } from '../../../src/telemetry/metrics.ts'

type Sample = readonly [labels: Labels, value: number]

function numbers(kind: 'counter' | 'gauge', name: string, samples: readonly Sample[], inProcesses?: InProcesses): MetricFamily {
  return {
    kind,
    name,
    help: name,
    labels: ['a'],
    ...(inProcesses !== undefined && { inProcesses }),
    samples: () => samples.map(([labels, value]) => ({ labels, value })),
  }
}

function histogram(counts: readonly number[], sum: number): MetricFamily {
  return {
    kind: 'histogram',
    name: 'h',
    help: 'h',
    labels: ['a'],
    bounds: [1, 2],
    samples: () => [{ labels: { a: 'x' }, counts: Float64Array.from(counts), sum }],
  }
}

const sent = (families: readonly MetricFamily[]): CollectedFamily[] => JSON.parse(JSON.stringify(collect(families))) as CollectedFamily[]
const text = (...processes: readonly (readonly CollectedFamily[])[]): Promise<string> => createMetrics(familiesOf(merge(processes))).text()

describe('metrics of several processes', () => {
  it('add counters and gauges by their labels, whatever their order', async () => {
    const one = sent([
      numbers('counter', 'c', [
        [{ a: 'x' }, 1],
        [{ a: 'y' }, 2],
      ]),
    ])
    const two = sent([
      numbers('counter', 'c', [
        [{ a: 'y' }, 10],
        [{ a: 'z' }, 20],
      ]),
    ])
    expect((await text(one, two)).split('\n').filter((line) => line.startsWith('c{'))).toEqual(['c{a="x"} 1', 'c{a="y"} 12', 'c{a="z"} 20'])
  })

  it.each<[InProcesses | undefined, number]>([
    [undefined, 5],
    ['sum', 5],
    ['greatest', 3],
    ['first', 2],
  ])('take for %s what belongs to one thing', async (inProcesses, value) => {
    const gauge = (of: number) => sent([numbers('gauge', 'g', [[{ a: 'x' }, of]], inProcesses)])
    expect(await text(gauge(2), gauge(3))).toContain(`g{a="x"} ${value}\n`)
  })

  it('add histograms bucket by bucket', async () => {
    const all = await text(sent([histogram([1, 2, 3], 10)]), sent([histogram([10, 0, 1], 5)]))
    expect(all.split('\n').filter((line) => line.startsWith('h_'))).toEqual([
      'h_bucket{a="x",le="1"} 11',
      'h_bucket{a="x",le="2"} 13',
      'h_bucket{a="x",le="+Inf"} 17',
      'h_sum{a="x"} 15',
      'h_count{a="x"} 17',
    ])
  })

  it('keep a family that only one of them has', async () => {
    expect(await text(sent([]), sent([numbers('gauge', 'only', [[{ a: 'x' }, 1]])]))).toContain('only{a="x"} 1\n')
  })

  it('leave of a process that has ended what it counted, and not what it had', () => {
    const families = sent([numbers('counter', 'c', []), numbers('gauge', 'g', []), histogram([0, 0, 0], 0)])
    expect(counted(families).map(({ name }) => name)).toEqual(['c', 'h'])
  })
})
