import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { processMetrics } from '../../../src/telemetry/process-metrics.ts'

describe('metrics', () => {
  it('are read when they are scraped, and forget what is no longer there', async () => {
    let samples = [
      { labels: { rule: 'a' }, value: 1 },
      { labels: { rule: 'b"\n' }, value: 2 },
    ]
    const metrics = createMetrics([{ kind: 'counter', name: 'x_total', help: 'Of x.', labels: ['rule'], samples: () => samples }])
    expect(await metrics.text()).toBe('# HELP x_total Of x.\n# TYPE x_total counter\nx_total{rule="a"} 1\nx_total{rule="b\\"\\n"} 2\n')
    samples = [{ labels: { rule: 'a' }, value: 5 }]
    expect(await metrics.text()).toBe('# HELP x_total Of x.\n# TYPE x_total counter\nx_total{rule="a"} 5\n')
  })

  it('show histograms with rising buckets, sum and count', async () => {
    const metrics = createMetrics([
      {
        kind: 'histogram',
        name: 'd_seconds',
        help: 'Of d.',
        labels: ['route'],
        bounds: [0.1, 1],
        samples: () => [{ labels: { route: 'r' }, counts: [3, 2, 1], sum: 7.5 }],
      },
    ])
    expect(await metrics.text()).toBe(
      [
        '# HELP d_seconds Of d.',
        '# TYPE d_seconds histogram',
        'd_seconds_bucket{route="r",le="0.1"} 3',
        'd_seconds_bucket{route="r",le="1"} 5',
        'd_seconds_bucket{route="r",le="+Inf"} 6',
        'd_seconds_sum{route="r"} 7.5',
        'd_seconds_count{route="r"} 6',
        '',
      ].join('\n'),
    )
  })

  it('tell what the process uses', async () => {
    const text = await createMetrics(processMetrics('1.2.3')).text()
    expect(text).toMatch(/^process_resident_memory_bytes \d{7,}$/m)
    expect(text).toMatch(/^process_open_fds \d+$/m)
    expect(text).toMatch(/^nodejs_active_resources\{type="\w+"\} \d+$/m)
    expect(text).toContain(`gatewright_build_info{version="1.2.3",node="${process.version}"} 1`)
  })
})
