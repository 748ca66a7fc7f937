/**
 * `Gatewright-Debug`: what a client is told of the way of its request, where the operator allows it and the client asks
 * (docs/wire.md, debug-*). One field of the answer, a dictionary of RFC 9651, in the words of the access log.
 *
 * Names of routes, rules and backends go to whoever asks. An endpoint's address stays on this machine: others are given a
 * name that tells endpoints apart and says nothing about where they are, the same one that tokens of sessions use.
 */
import { isLoopback } from '../../lib/ip.ts'
import type { FieldList } from '../http1/field-list.ts'
import type { Answer } from './answers.ts'
import type { Exchange } from './exchange.ts'

const name = 'Gatewright-Debug'
const lower = 'gatewright-debug'

/** Takes the question out of the request: it is for us alone. */
export function isAskedFor(fields: FieldList): boolean {
  const asked = fields.get(lower)
  if (asked === undefined) return false
  fields.remove(lower)
  return asked === '1'
}

/** On the answer of an upstream. */
export function tellWay(exchange: Exchange, fields: FieldList): void {
  fields.set(name, lower, wayOf(exchange))
}

/** On an answer of our own. */
export function withWay(exchange: Exchange, answer: Answer): Answer {
  const others = (answer.fields ?? []).filter((field) => field.lower !== lower)
  return { ...answer, fields: [...others, { name, lower, value: wayOf(exchange) }] }
}

/** What did not come to pass is left out. */
function wayOf(exchange: Exchange): string {
  const { requestId, match, pool, filter, flag, attempts } = exchange
  const texts = {
    request: requestId,
    route: match?.rule.route ?? '',
    rule: match?.rule.config.key ?? '',
    filter,
    backend: pool?.config.key ?? '',
    endpoint: endpointOf(exchange),
    reason: flag,
  }
  const members = Object.entries(texts).filter(([, text]) => text !== '')
  return [...members.map(([key, text]) => `${key}=${quoted(text)}`), `attempts=${attempts}`].join(', ')
}

function endpointOf({ pool, endpoint, client }: Exchange): string {
  if (endpoint === undefined) return ''
  const { context } = client
  // A trusted peer on this machine speaks for clients elsewhere.
  if (isLoopback(context.clientAddress) && !context.trusted) return endpoint.name
  return pool === undefined ? '' : Buffer.from(context.runtime.sessions.current.endpoint(pool, endpoint), 'latin1').toString('base64url')
}

/** RFC 9651 section 3.3.3: ASCII in quotes; names of the API hold nothing else. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&').replaceAll(/[^\x20-\x7e]/g, '?')}"`
}
