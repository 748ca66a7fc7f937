/** An explanation for a person: the winner, then why every other candidate lost, then what never attached. */
import type { GatewayConfig } from '../config/config.ts'
import type { FilterConfig } from '../config/filter.ts'
import type { RetryConfig, SessionConfig } from '../config/route.ts'
import { describeHostname, describeMatch } from '../routing/describe.ts'
import type { Explanation, Winner } from '../routing/explain.ts'
import { columns } from './columns.ts'
import type { Refused } from './refused-routes.ts'
import { endpointRows, type ShownPool } from './shown-pool.ts'
import type { Style } from './style.ts'

export interface Explained {
  /** `dropped`: names of headers that the gateway takes out before it chooses a route. */
  readonly request: { readonly method: string; readonly url: string; readonly dropped: readonly string[] }
  readonly port: number
  readonly answers: readonly { readonly gateway: string; readonly explanation: Explanation }[]
  readonly refused: readonly Refused[]
  readonly notes: readonly string[]
  /** Those that winning rules send requests to. */
  readonly pools: readonly ShownPool[]
  /** All Gateways that were asked, also those without such a port. */
  readonly gateways: readonly GatewayConfig[]
}

const shownRefused = 10

export function explainReport({ request, port, answers, refused, notes, pools, gateways }: Explained, style: Style): string {
  const lines = [style.bold(`${request.method} ${request.url}`), ...request.dropped.map((name) => droppedLine(name, style))]
  if (answers.length === 0) lines.push(...noPort(port, gateways, style))
  for (const { gateway, explanation } of answers) lines.push('', ...answerLines(gateway, explanation, pools, style))
  if (refused.length > 0) {
    lines.push('', style.bold('Routes for this host that no listener accepted'))
    for (const { route, parent, reason, message } of refused.slice(0, shownRefused)) {
      lines.push(`  ${route} on ${parent}: ${style.red(reason)}`, ...message.split('\n').map((line) => `    ${line}`))
    }
    if (refused.length > shownRefused) lines.push(`  and ${refused.length - shownRefused} more (all with -o json)`)
  }
  if (notes.length > 0)
    lines.push('', style.bold('Kindnesses of this machine (--strict: without them)'), ...notes.map((note) => `  ${note}`))
  return `${lines.join('\n')}\n`
}

function droppedLine(name: string, style: Style): string {
  const trust = name.includes('_') ? '' : ' (--trusted: as of a client that `run --trust` names)'
  return `  header ${style.red(name)} is dropped before a route is chosen: a client may not say this of itself${trust}`
}

function noPort(port: number, gateways: readonly GatewayConfig[], style: Style): string[] {
  const open = gateways.flatMap(({ gateway, listeners }) => listeners.map((listener) => `${gateway} ${listener.protocol} ${listener.port}`))
  const all = open.length === 0 ? 'no Gateway has a listener that can serve' : `there are ${[...new Set(open)].join(', ')}`
  return [`  ${style.red('no listener')} on port ${port}: ${all}`]
}

function answerLines(
  gateway: string,
  { port, grpc, listener, misses, winner, losers }: Explanation,
  pools: readonly ShownPool[],
  style: Style,
): string[] {
  const nothing = style.red(grpc ? 'UNIMPLEMENTED' : '404')
  const lines = [`Gateway ${style.bold(gateway)}, port ${port}`]
  if (winner !== undefined) lines.push(...winnerLines(winner, listener?.hostname ?? '', grpc, pools, style))
  else if (listener === undefined) lines.push(`  ${nothing}  no listener of this port serves the host`)
  else
    lines.push(`  ${nothing}  listener ${listener.listener} (${describeHostname(listener.hostname)}) serves the host, and no rule matches`)
  if (losers.length + misses.length > 0) {
    lines.push('', `  Why ${winner === undefined ? 'nothing took it' : 'not the others'}`)
    lines.push(...misses.map(({ listener: key, text }) => `    listener ${key}: ${text}`))
    for (const { rule, match, text } of losers) lines.push(`    ${rule} (${describeMatch(match)})`, `      ${text}`)
  }
  return lines
}

function winnerLines(winner: Winner, listenerHostname: string, grpc: boolean, pools: readonly ShownPool[], style: Style): string[] {
  const { listener, hostname, route, rule, match, filters, backends, timeouts, retry, session } = winner
  const error = grpc ? 'UNAVAILABLE' : '500'
  const endpointsOf = (key: string): string[][] => {
    const pool = pools.find((one) => one.pool === key)
    return pool === undefined ? [] : endpointRows(pool, grpc ? 'UNAVAILABLE' : '503', style)
  }
  const filterRows = (label: string, filter: FilterConfig): string[][] => [
    [label, describeFilter(filter)],
    ...('target' in filter && filter.target.kind === 'pool' ? endpointsOf(filter.target.pool) : []),
  ]
  const times = Object.entries(timeouts).map(([name, milliseconds]) => `${name} ${milliseconds} ms`)
  const rows = [
    ['listener', `${listener} (${describeHostname(listenerHostname)})`],
    ['hostname', describeHostname(hostname)],
    ['route', style.green(route)],
    ['rule', rule],
    ['match', describeMatch(match)],
    ...filters.flatMap((filter) => filterRows('filter', filter)),
    ...answerRows(winner, grpc),
    ...(times.length === 0 ? [] : [['timeouts', times.join(', ')]]),
    ...(retry === undefined ? [] : [['retry', describeRetry(retry)]]),
    ...(session === undefined ? [] : [['session', describeSession(session)]]),
    ...backends.flatMap(({ kind, name, share, filters: own = [], session: kept }) => [
      ['backend', `${name}  ${percent(share)}${kind === 'fail' ? style.red(`  answers ${error}: it could not be resolved`) : ''}`],
      ...own.flatMap((filter) => filterRows('  filter', filter)),
      ...(kept === undefined ? [] : [['  session', describeSession(kept)]]),
      ...(kind === 'pool' ? endpointsOf(name) : []),
    ]),
    ...(backends.length === 0 && !filters.some(({ kind }) => kind === 'redirect') ? [['backend', style.red(`none: ${error}`)]] : []),
  ]
  return columns(rows, '  ')
}

/** Which filter answers in place of a backend. */
function answerRows({ answeredBy, filters }: Winner, grpc: boolean): string[][] {
  switch (answeredBy) {
    case undefined:
      return []
    case 'preflight':
      return [['answer', '204 to a CORS preflight, no backend is asked']]
    case 'redirect': {
      const guarded = filters.some(({ kind }) => kind === 'externalAuth') ? ', if the authorisation server allows it' : ''
      const status = filters.find((filter) => filter.kind === 'redirect')?.status ?? 302
      return [['answer', `${status} by the redirect${guarded}; no backend is asked`]]
    }
    case 'fail':
      return [['answer', `${grpc ? 'INTERNAL' : '500'}, because a filter cannot be served; no backend is asked`]]
  }
}

function percent(share: number): string {
  return `${Math.round(share * 10_000) / 100} %`
}

function describeRetry({ codes, attempts, backoff }: RetryConfig): string {
  if (attempts === 0) return 'never'
  const after = ['a connection that could not be made', ...codes]
  return `${attempts} more after ${after.join(', ')}${backoff === undefined ? '' : `, pauses from ${backoff} ms`}`
}

function describeSession({ kind, name, absoluteTimeout, keepsBackend }: SessionConfig): string {
  const end = absoluteTimeout === undefined ? '' : `, for ${absoluteTimeout} ms`
  return `by ${kind} ${name}${end}, keeps the endpoint${keepsBackend ? ' and the backend' : ' within the backend that the weights choose'}`
}

function describeFilter(filter: FilterConfig): string {
  switch (filter.kind) {
    case 'requestHeaders':
    case 'responseHeaders': {
      const edits = [
        ...filter.set.map(({ name, value }) => `set ${name}: ${value}`),
        ...filter.add.map(({ name, value }) => `add ${name}: ${value}`),
        ...filter.remove.map((name) => `remove ${name}`),
      ]
      return `${filter.kind === 'requestHeaders' ? 'request' : 'response'} headers: ${edits.join(', ')}`
    }
    case 'redirect': {
      const { scheme, hostname, port, path } = filter
      const to = [scheme, hostname, port, path && `${path.kind === 'full' ? 'path' : 'prefix'} ${path.value}`].filter(
        (part) => part !== undefined,
      )
      return `redirect ${filter.status}${to.length === 0 ? '' : ` to ${to.join(', ')}`}`
    }
    case 'rewrite': {
      const to = [
        filter.hostname && `host ${filter.hostname}`,
        filter.path && `${filter.path.kind === 'full' ? 'path' : 'prefix'} ${filter.path.value}`,
      ]
      return `rewrite ${to.filter((part) => part !== undefined).join(', ')}`
    }
    case 'mirror': {
      const { target, numerator, denominator } = filter
      if (target.kind === 'fail') return `mirror left out: ${target.message}`
      return `mirror to ${target.pool}${numerator === denominator ? '' : `, ${numerator} of ${denominator} requests`}`
    }
    case 'cors':
      return `CORS for ${filter.origins.length === 0 ? 'no origin' : filter.origins.join(', ')}${filter.credentials ? ', with credentials' : ''}`
    case 'externalAuth': {
      const { protocol, target } = filter
      const asks = `external authorisation (${protocol === 'grpc' ? 'gRPC' : 'HTTP'})`
      return target.kind === 'pool' ? `${asks} by ${target.pool}` : `${asks} cannot be asked: ${target.message}`
    }
    case 'fail':
      return `${filter.filter} cannot be served: ${filter.message}`
  }
}
