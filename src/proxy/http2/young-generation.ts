/** The part of V8's heap where objects begin, in a process that carries HTTP/2. */
import { setFlagsFromString } from 'node:v8'

/**
 * Lets it grow, as V8 does by default and the commands that serve do not (cli/memory.ts). What node:http2 keeps for a stream
 * lives as long as the stream, a multitude of them does not fit into 1 MiB, and then collecting it is a third of all CPU time.
 */
export function letYoungGenerationGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2')
}
