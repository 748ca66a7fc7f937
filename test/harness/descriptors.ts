/** How much of a load this process has file descriptors for: clients, gateway and backends are all within it, so that a connection counts twice. */
import { readdirSync } from 'node:fs'
import { descriptorLimit } from '../../src/proxy/listener/descriptor-limit.ts'

/** Less of a load than this would test something else. */
const leastShare = 0.1

/**
 * The part of a load that the free descriptors allow for: 1 where they are enough for all of it.
 * @param needed descriptors for the whole load
 */
export function descriptorShare(needed: number): number {
  const free = descriptorLimit() - openDescriptors()
  const share = Math.min(1, free / needed)
  if (share >= leastShare) return share
  throw new Error(
    `Cannot make the load of this test: the process must have at least ${Math.ceil(needed * leastShare)} free file descriptors, got ${free}; raise \`ulimit -n\``,
  )
}

function openDescriptors(): number {
  try {
    return readdirSync('/dev/fd').length
  } catch {
    return 0
  }
}
