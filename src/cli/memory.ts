/** How V8 uses memory in a process that serves for weeks. */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Bytes of both halves. */
const youngGeneration = 2 * 4 * 1024 * 1024
/** V8 halves it in a full collection of a process that has nothing to do. */
const lookTime = 10_000
const hundred = Array.from({ length: 100 }, (_, i) => i)

/**
 * Keeps the young generation at two halves of 4 MiB. It starts with 1 MiB, which does not hold the streams of a busy
 * moment (HTTP/2 costs a tenth to a fifth more CPU time), and by default grows to 3 x 16 MiB under load, though what a request
 * allocates is dead when it has been answered: tens of megabytes for nothing.
 *
 * To be called before the heap grows, so before the command is loaded. The usual `--max-semi-space-size` is read when
 * the heap is made, before any code of ours; the flag that is used here is asked at each growth.
 */
export function keepYoungGenerationSmall(): void {
  growYoungGeneration()
  setInterval(growYoungGeneration, lookTime).unref()
}

/** Takes 10 ms when there is something to do: V8 grows it when enough has survived, so something does. */
function growYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=4')
  const survivors: number[][] = []
  // Bounded, should a later V8 not heed the flag: 16 MB.
  for (let round = 0; round < 200 && isSmall(); round += 1) for (let i = 0; i < 100; i += 1) survivors.push(Array.from(hundred))
  setFlagsFromString('--semi-space-growth-factor=1')
}

function isSmall(): boolean {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
  return space !== undefined && space.space_size < youngGeneration
}
