/**
 * What the configuration says to a request before there is a backend: the listener and the rule that take it, or the
 * answer of our own that it gets. Pure but for what it notes on the request.
 */
import { normalPath } from '../../lib/path-normal.ts'
import type { CompiledEdits, CompiledFilters, CompiledListener, CompiledMatch, RequestView } from '../../routing/router.ts'
import type { RequestHead } from '../http1/request-head.ts'
import * as answers from './answers.ts'
import type { Answer } from './answers.ts'
import { preflightAnswer } from './cors.ts'
import type { Downstream } from './downstream.ts'

/** A request, and what is noted on it. */
export interface DecidedRequest extends RequestView {
  readonly client: Downstream
  readonly head: RequestHead
  path: string
  listener: CompiledListener | undefined
  match: CompiledMatch | undefined
  /** What its answer says of CORS; undefined for rules without that filter. */
  cors: CompiledEdits | undefined
}

/** The answer that the request gets, whatever an authorisation server would say; undefined: it has a `match`. */
export function decide(request: DecidedRequest): Answer | undefined {
  const { context } = request.client
  const path = normalPath(request.head.path)
  if (path === undefined) return answers.badPath
  request.path = path
  const listener = context.port.router.listenerFor(request.host)
  if (listener === undefined) return answers.noListener
  request.listener = listener
  if (context.sniListener !== undefined && context.sniListener !== listener.config.key) return answers.misdirected
  const match = listener.decide(request)
  if (match === undefined) return answers.noRoute
  request.match = match
  const { filters } = match.rule
  if (filters?.answer?.kind === 'fail') return answers.badFilter(filters.answer.filter)
  if (filters?.cors === undefined) return undefined
  const preflight = filters.cors.preflight(request)
  if (preflight !== undefined) return preflightAnswer(preflight)
  request.cors = filters.cors.decorate(request)
  return undefined
}

/** The answer of a rule's or a backend's filters in place of the backend; undefined: they have none. */
export function filterAnswer(request: DecidedRequest, filters: CompiledFilters | undefined): Answer | undefined {
  const found = filters?.answer
  if (found === undefined) return undefined
  if (found.kind === 'fail') return answers.badFilter(found.filter)
  const { scheme } = request.client.context
  const location = found.redirect.location(request, scheme, request.listener?.placedPort ?? 0, request.match?.prefixLength ?? 0)
  return { status: found.redirect.status, flag: 'redirect', filter: 'RequestRedirect', location }
}
