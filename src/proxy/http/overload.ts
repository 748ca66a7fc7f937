/**
 * What the process sheds when it is short of something: new requests, each with its answer and its counter, while all that
 * is under way goes on.
 *
 * A stream of HTTP/2 beyond the process's bound gets a 503 like a request of HTTP/1, and not REFUSED_STREAM. That code asks the
 * client to repeat at once, which libraries do unseen and on the same connection: right where a client did not know yet how
 * many streams it may have, and wrong where others hold what it needs.
 */
import { type Answer, bodyTooLarge, overload } from './answers.ts'
import type { ProxyRuntime } from './connection-context.ts'

/**
 * Undefined: the request, which is counted as active, may go on.
 * @param bodyLength bytes, 0 when it is not known
 */
export function shedding(runtime: ProxyRuntime, bodyLength: number): Answer | undefined {
  const { overloaded, counters, bounds } = runtime
  if (overloaded) counters.shed.memory += 1
  else if (counters.active > bounds.requests) counters.shed.requests += 1
  else return isTooLarge(bodyLength, runtime) ? bodyTooLarge : undefined
  return overload
}

/** Whether a body of so many bytes, announced or come, is more than may be. */
export function isTooLarge(bytes: number, { bounds }: ProxyRuntime): boolean {
  return bounds.requestBody > 0 && bytes > bounds.requestBody
}
