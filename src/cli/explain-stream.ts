/** `explain` for what is no request: `TLS db.example.com:443`, `TCP :5432`, `UDP :53`. */
import { transportOf } from '../lib/transport.ts'
import { compile } from '../routing/compile.ts'
import { explainStream, type StreamExplanation, type StreamWinner } from '../routing/explain-stream.ts'
import { describeHostname } from '../routing/describe.ts'
import type { Asked } from './asked.ts'
import { columns } from './columns.ts'
import { refusedFor } from './refused-routes.ts'
import { endpointRows, type ShownPool } from './shown-pool.ts'
import type { Style } from './style.ts'
import { UserError } from './user-error.ts'

export interface AskedStream {
  readonly protocol: 'TCP' | 'TLS' | 'UDP'
  /** Lower case; '' for none. */
  readonly serverName: string
  readonly port: number
}

export interface StreamAnswer {
  readonly gateway: string
  readonly explanation: StreamExplanation
}

export interface ExplainedStream {
  readonly asked: AskedStream
  readonly answers: readonly StreamAnswer[]
  readonly refused: ReturnType<typeof refusedFor>
  readonly notes: readonly string[]
  readonly pools: readonly ShownPool[]
}

/** undefined: the words are a request's. Throws UserError. */
export function askedStream(protocol: string, target: string): AskedStream | undefined {
  if (protocol !== 'TCP' && protocol !== 'TLS' && protocol !== 'UDP') return undefined
  const [, name = '', port = ''] = /^([^:/\s]*):(\d{1,5})$/.exec(target) ?? []
  if (port === '' || Number(port) < 1 || Number(port) > 65_535)
    throw new UserError(`Cannot explain: after ${protocol} --request must have NAME:PORT or :PORT, got '${target}'`, 2)
  return { protocol, serverName: protocol === 'TLS' ? name.toLowerCase() : '', port: Number(port) }
}

export function answersFor(asked: Asked, stream: AskedStream, gateway: string | undefined): ExplainedStream {
  const transport = transportOf(stream.protocol)
  const answers = asked.configs.flatMap((config): StreamAnswer[] => {
    if (gateway !== undefined && config.gateway !== gateway) return []
    const explanation = explainStream(compile(config), transport, asked.specPort(config.gateway, stream.port), stream.serverName)
    return explanation.listener === undefined && explanation.misses.length === 0 ? [] : [{ gateway: config.gateway, explanation }]
  })
  const keys = answers.flatMap(
    ({ explanation: { winner } }) => winner?.backends.flatMap(({ kind, name }) => (kind === 'pool' ? [name] : [])) ?? [],
  )
  return {
    asked: stream,
    answers,
    refused: refusedFor(asked.refused, stream.serverName),
    notes: asked.notes,
    pools: [...new Set(keys)].flatMap((key) => asked.poolOf(key) ?? []),
  }
}

export function streamReport({ asked, answers, refused, notes, pools }: ExplainedStream, style: Style): string {
  const lines = [style.bold(`${asked.protocol} ${asked.serverName}:${asked.port}`)]
  if (answers.length === 0) lines.push(`  ${style.red('no listener')} on port ${asked.port}`)
  for (const { gateway, explanation } of answers) lines.push('', ...answerLines(gateway, explanation, pools, style))
  if (refused.length > 0) lines.push('', style.bold('Routes that no listener accepted'))
  for (const { route, parent, reason, message } of refused)
    lines.push(`  ${route} on ${parent}: ${style.red(reason)}`, ...message.split('\n').map((line) => `    ${line}`))
  if (notes.length > 0)
    lines.push('', style.bold('Kindnesses of this machine (--strict: without them)'), ...notes.map((note) => `  ${note}`))
  return `${lines.join('\n')}\n`
}

function answerLines(
  gateway: string,
  { port, transport, listener, misses, winner, losers }: StreamExplanation,
  pools: readonly ShownPool[],
  style: Style,
): string[] {
  const nothing = style.red(transport === 'UDP' ? 'dropped' : 'ended at once')
  const lines = [`Gateway ${style.bold(gateway)}, port ${port}`]
  if (winner !== undefined) lines.push(...winnerLines(winner, transport === 'UDP' ? 'dropped' : 'reset', pools, style))
  else if (listener === undefined) lines.push(`  ${nothing}  no listener of this port is for it`)
  else if (listener.takes === 'requests')
    lines.push(`  listener ${listener.listener} takes requests: ask for one, as 'GET https://${listener.hostname || 'host'}/'`)
  else lines.push(`  ${nothing}  listener ${listener.listener} (${describeHostname(listener.hostname)}) is for it, and no route takes it`)
  if (losers.length + misses.length > 0) {
    lines.push('', `  Why ${winner === undefined ? 'nothing took it' : 'not the others'}`)
    lines.push(...misses.map(({ text }) => `    ${text}`), ...losers.map(({ route, text }) => `    ${route} ${text}`))
  }
  return lines
}

function winnerLines(
  { listener, hostname, route, kind, backends, proxyProtocol }: StreamWinner,
  failed: string,
  pools: readonly ShownPool[],
  style: Style,
): string[] {
  const rows = [
    ['listener', listener],
    ...(kind === 'passthrough' || kind === 'terminate'
      ? [
          ['hostname', describeHostname(hostname)],
          ['TLS', kind === 'passthrough' ? 'passes through' : 'ends here'],
        ]
      : []),
    ['route', style.green(route)],
    ...(proxyProtocol === undefined ? [] : [['PROXY', `backends get a header of the PROXY protocol, ${proxyProtocol}`]]),
    ...backends.flatMap(({ kind: what, name, share }) => {
      const pool = pools.find((one) => one.pool === name)
      return [
        [
          'backend',
          `${name}  ${Math.round(share * 10_000) / 100} %${what === 'fail' ? style.red(`  ${failed}: it could not be resolved`) : ''}`,
        ],
        ...(pool === undefined ? [] : endpointRows(pool, failed, style)),
      ]
    }),
    ...(backends.length === 0 ? [['backend', style.red(`none: ${failed}`)]] : []),
  ]
  return columns(rows, '  ')
}
