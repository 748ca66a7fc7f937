/** What is left of an exchange when it has ended: numbers on its rule, and a line for the access log when there is one. */
import type { RuleCounters } from '../../routing/router.ts'
import type { AccessRecord, AnswerFlag } from '../../telemetry/access-record.ts'
import type { Answer } from './answers.ts'
import type { ConnectionContext, DownstreamCounters } from './connection-context.ts'
import type { Exchange } from './exchange.ts'

/** Codes of gRPC go from 0 to 16. */
const grpcStatuses = 17

/** Counts and records. Once for each exchange, at its end. */
export function accountFor(exchange: Exchange): void {
  const { runtime } = exchange.client.context
  const duration = performance.now() - exchange.startedAt
  const statusClass = Math.floor(exchange.status / 100)
  const { counters } = runtime
  const { match, flag, session, client } = exchange
  if (match === undefined) add(counters.unrouted, statusClass)
  else count(match.rule.counters, statusClass, duration)
  if (client.grpcStatus !== undefined) countGrpc(match?.rule.counters ?? counters, client.grpcStatus)
  if (session !== '') counters.sessions[session] += 1
  if (flag !== '') countFlag(counters, flag)
  if (runtime.accessLog !== undefined) runtime.accessLog(recordOf(exchange, duration))
}

/** The same for what became no exchange: a head that was refused, or that did not come. */
export function accountForRefusal(
  context: ConnectionContext,
  answer: Answer,
  requestId: string,
  protocol: AccessRecord['protocol'] = 'HTTP/1.1',
): void {
  const { counters, accessLog } = context.runtime
  add(counters.unrouted, Math.floor(answer.status / 100))
  countFlag(counters, answer.flag)
  accessLog?.({
    time: performance.timeOrigin + performance.now(),
    duration: 0,
    requestId,
    client: context.clientAddress,
    scheme: context.scheme,
    protocol,
    method: '',
    host: '',
    target: '',
    status: answer.status,
    flag: answer.flag,
    filter: '',
    requestBytes: 0,
    responseBytes: 0,
    listener: '',
    route: '',
    rule: '',
    backend: '',
    upstream: '',
    attempts: 0,
    failed: [],
    session: '',
    mirrors: 0,
    grpcStatus: undefined,
  })
}

function countFlag({ flags }: DownstreamCounters, flag: AnswerFlag): void {
  flags.set(flag, (flags.get(flag) ?? 0) + 1)
}

function count(counters: RuleCounters, statusClass: number, duration: number): void {
  add(counters.byClass, statusClass)
  add(counters.durations, durationBucket(duration, counters.durations.length))
  counters.durationSum += duration
}

/** Made for the first gRPC call: most rules never see one. */
function countGrpc(counters: { grpc: Float64Array | undefined }, status: number): void {
  counters.grpc ??= new Float64Array(grpcStatuses)
  add(counters.grpc, status)
}

/** Bucket i holds what took at most 2^(i-4) ms, the last one the rest. */
export function durationBucket(duration: number, buckets: number): number {
  const bucket = 32 - Math.clz32(Math.max(0, Math.ceil(duration * 16) - 1))
  return bucket < buckets ? bucket : buckets - 1
}

function add(numbers: Float64Array, index: number): void {
  numbers[index] = (numbers[index] ?? 0) + 1
}

function recordOf(exchange: Exchange, duration: number): AccessRecord {
  const { head, client, match, listener, pool, endpoint } = exchange
  return {
    time: performance.timeOrigin + exchange.startedAt,
    duration,
    requestId: exchange.requestId,
    client: client.context.clientAddress,
    scheme: client.context.scheme,
    protocol: head.http10 ? 'HTTP/1.0' : client.protocol,
    method: head.method,
    host: head.authority,
    target: head.path + head.search,
    status: exchange.status,
    flag: exchange.flag,
    filter: exchange.filter,
    requestBytes: exchange.requestBytes,
    responseBytes: exchange.responseBytes,
    listener: listener?.config.key ?? '',
    route: match?.rule.route ?? '',
    rule: match?.rule.config.key ?? '',
    backend: pool?.config.key ?? '',
    upstream: endpoint?.name ?? '',
    attempts: exchange.attempts,
    failed: exchange.failed,
    session: exchange.session,
    mirrors: exchange.mirrors,
    grpcStatus: client.grpcStatus,
  }
}
