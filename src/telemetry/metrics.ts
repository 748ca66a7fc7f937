/**
 * Metrics for Prometheus. Whoever has numbers describes them as a family and gives them when asked: nothing is copied
 * or summed before a scrape, and the hot path only adds to number fields.
 */
import { Counter, Gauge, type Metric, Registry } from 'prom-client'

export type Labels = Readonly<Record<string, string>>

interface FamilyBase {
  /** `gatewright_...`, with its unit, `_total` for counters. */
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

/** How the values of several processes become one: what each has a part of is added, of what each says of the same thing the greatest or the first counts. */
export type InProcesses = 'sum' | 'greatest' | 'first'

export interface NumberFamily extends FamilyBase {
  readonly kind: 'counter' | 'gauge'
  /** What several processes have to say of one thing, see `InProcesses`; absent: the sum. */
  readonly inProcesses?: InProcesses
  /** Values with equal labels are added. */
  readonly samples: () => Iterable<{ readonly labels: Labels; readonly value: number }>
}

export interface HistogramFamily extends FamilyBase {
  readonly kind: 'histogram'
  /** Upper bounds, rising; one more bucket holds the rest. */
  readonly bounds: readonly number[]
  /** `counts[i]` is how many fell into bucket i alone. */
  readonly samples: () => Iterable<{ readonly labels: Labels; readonly counts: ArrayLike<number>; readonly sum: number }>
}

export type MetricFamily = NumberFamily | HistogramFamily

export interface Metrics {
  readonly contentType: string
  /** The text exposition format. */
  text(): Promise<string>
}

export function createMetrics(families: readonly MetricFamily[]): Metrics {
  const registry = new Registry()
  for (const family of families) register(registry, family)
  return { contentType: registry.contentType, text: () => registry.metrics() }
}

function register(registry: Registry, family: MetricFamily): void {
  const { name, help } = family
  const options = { name, help, labelNames: [...family.labels], registers: [registry] }
  switch (family.kind) {
    case 'counter': {
      const counter: Counter = new Counter({
        ...options,
        collect: () => {
          counter.reset()
          for (const { labels, value } of family.samples()) counter.inc(labels, value)
        },
      })
      break
    }
    case 'gauge': {
      const gauge: Gauge = new Gauge({
        ...options,
        collect: () => {
          gauge.reset()
          for (const { labels, value } of family.samples()) gauge.inc(labels, value)
        },
      })
      break
    }
    case 'histogram':
      // prom-client's own Histogram can only observe one value at a time; a registry asks a metric for nothing but this.
      registry.registerMetric({
        name,
        get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: histogramValues(family) }),
      } as unknown as Metric)
  }
}

interface HistogramValue {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

function histogramValues({ name, bounds, samples }: HistogramFamily): HistogramValue[] {
  const values: HistogramValue[] = []
  for (const { labels, counts, sum } of samples()) {
    let count = 0
    for (const [index, bound] of bounds.entries()) {
      count += counts[index] ?? 0
      values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: count })
    }
    count += counts[bounds.length] ?? 0
    values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count })
    values.push({ metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: count })
  }
  return values
}
