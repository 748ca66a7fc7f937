/**
 * Metrics of several processes as those of one: each collects what it has as plain data, which may travel, and whoever is
 * asked merges them. A process that ended leaves what it had counted, so that no counter falls.
 */
import type { HistogramFamily, InProcesses, Labels, MetricFamily, NumberFamily } from './metrics.ts'

/** A family with the values of one moment: plain JSON. */
export type CollectedFamily = CollectedNumbers | CollectedHistogram

interface CollectedNumbers extends Omit<NumberFamily, 'samples'> {
  readonly values: readonly NumberSample[]
}

interface CollectedHistogram extends Omit<HistogramFamily, 'samples'> {
  readonly values: readonly HistogramSample[]
}

interface NumberSample {
  readonly labels: Labels
  readonly value: number
}

interface HistogramSample {
  readonly labels: Labels
  readonly counts: readonly number[]
  readonly sum: number
}

export function collect(families: readonly MetricFamily[]): CollectedFamily[] {
  return families.map((family) => {
    if (family.kind === 'histogram') {
      const { samples, ...rest } = family
      return { ...rest, values: Array.from(samples(), ({ labels, counts, sum }) => ({ labels, counts: Array.from(counts), sum })) }
    }
    const { samples, ...rest } = family
    return { ...rest, values: [...samples()] }
  })
}

/** What stays true of a process that has ended. */
export function counted(families: readonly CollectedFamily[]): CollectedFamily[] {
  return families.filter(({ kind }) => kind !== 'gauge')
}

/** The families of all of them; of two with one name and different meanings the first is kept as it is. */
export function merge(processes: readonly (readonly CollectedFamily[])[]): CollectedFamily[] {
  const merged = new Map<string, CollectedFamily>()
  for (const families of processes) {
    for (const family of families) {
      const before = merged.get(family.name)
      merged.set(family.name, before === undefined ? family : together(before, family))
    }
  }
  return [...merged.values()]
}

export function familiesOf(collected: readonly CollectedFamily[]): MetricFamily[] {
  return collected.map((family) => {
    if (family.kind === 'histogram') {
      const { values, ...rest } = family
      return { ...rest, samples: () => values }
    }
    const { values, ...rest } = family
    return { ...rest, samples: () => values }
  })
}

function together(a: CollectedFamily, b: CollectedFamily): CollectedFamily {
  if (a.kind === 'histogram') return b.kind === 'histogram' ? { ...a, values: byLabels(a, [...a.values, ...b.values], addHistograms) } : a
  if (b.kind === 'histogram') return a
  const { inProcesses = 'sum' } = a
  return { ...a, values: byLabels(a, [...a.values, ...b.values], (one, other) => joinNumbers(one, other, inProcesses)) }
}

function byLabels<T extends { readonly labels: Labels }>(
  { labels: names }: CollectedFamily,
  samples: readonly T[],
  join: (a: T, b: T) => T,
): readonly T[] {
  const joined = new Map<string, T>()
  for (const sample of samples) {
    const key = JSON.stringify(names.map((name) => sample.labels[name]))
    const before = joined.get(key)
    joined.set(key, before === undefined ? sample : join(before, sample))
  }
  return [...joined.values()]
}

function joinNumbers(a: NumberSample, b: NumberSample, how: InProcesses): NumberSample {
  switch (how) {
    case 'sum':
      return { labels: a.labels, value: a.value + b.value }
    case 'greatest':
      return a.value >= b.value ? a : b
    case 'first':
      return a
  }
}

function addHistograms(a: HistogramSample, b: HistogramSample): HistogramSample {
  return { labels: a.labels, counts: a.counts.map((count, i) => count + (b.counts[i] ?? 0)), sum: a.sum + b.sum }
}
