/** The request as its backend gets it: filters of the rule, then of the backend, over what the client sent. */
import type { CompiledEdits, CompiledFilters, CompiledMatch } from '../../routing/router.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { OutgoingRequest } from '../upstream/upstream.ts'
import type { Downstream } from './downstream.ts'
import { applyEdits } from './edits.ts'
import { forwardedLines, setForwarded } from './forwarded.ts'

/**
 * @param path the normal form, which was matched. Edits `head`.
 * @param authorised what an authorisation server says of the client; filters come after it
 * @param inHttp1 the backend speaks HTTP/1.1, where untouched lines go on as one piece
 */
export function outgoingRequest(
  head: RequestHead,
  path: string,
  match: CompiledMatch,
  backendFilters: CompiledFilters | undefined,
  client: Downstream,
  requestId: string,
  inHttp1: boolean,
  authorised: CompiledEdits | undefined,
): OutgoingRequest {
  const { filters } = match.rule
  let target = path
  let lines = ''
  const asLines = inHttp1 && authorised === undefined && !client.context.trusted
  if (asLines && filters?.seesForwarded !== true && backendFilters?.seesForwarded !== true) {
    lines = forwardedLines(head, client.forwardedPrefix, requestId)
  } else setForwarded(head, client.context, requestId)
  if (authorised !== undefined) applyEdits(head.fields, authorised)
  if (filters !== undefined) target = filtered(filters, head, path, target, match.prefixLength)
  if (backendFilters !== undefined) target = filtered(backendFilters, head, path, target, match.prefixLength)
  return {
    method: head.method,
    target: target + head.search,
    fields: head.fields,
    lines,
    body: head.body,
    expectContinue: head.expectContinue,
    teTrailers: head.teTrailers,
    upgrade: inHttp1 ? upgradeOf(head, client) : '',
  }
}

/** Edits `head`; gives the target. @param path that was matched: `prefixLength` counts in no other, so a backend's rewrite takes the place of its rule's */
function filtered(
  { requestEdits, rewrite }: CompiledFilters,
  head: RequestHead,
  path: string,
  target: string,
  prefixLength: number,
): string {
  if (requestEdits !== undefined) applyEdits(head.fields, requestEdits)
  if (rewrite?.hostname !== undefined) head.fields.set('Host', 'host', rewrite.hostname)
  return rewrite?.path === undefined ? target : rewrite.path(path, prefixLength)
}

/** The protocol that may be switched to; '' when none was asked for or it is not one of ours. */
function upgradeOf({ upgrade }: RequestHead, { context }: Downstream): string {
  return upgrade === '' || context.runtime.upgrades.has(upgrade) ? upgrade : ''
}
