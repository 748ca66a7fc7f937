/** Counters of a rule: plain numbers that the data plane writes and a scrape reads. */
import type { RuleCounters } from './router.ts'

/** Upper bounds are 2^(i-4) ms, from 1/16 ms to 65 s, and one bucket for the rest. */
export const durationBucketCount = 22

export function newCounters(): RuleCounters {
  return { byClass: new Float64Array(6), durations: new Float64Array(durationBucketCount), durationSum: 0, grpc: undefined }
}
