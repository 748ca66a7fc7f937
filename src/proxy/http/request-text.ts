/** The request's head as its backend gets it: filters of the rule, then of the backend, over what the client sent. */
import type { CompiledFilters, CompiledMatch } from '../../routing/router.ts'
import { requestHeadText } from '../http1/encode-head.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { Downstream } from './downstream.ts'
import { applyEdits } from './edits.ts'
import { forwardedLines, setForwarded } from './forwarded.ts'

/** @param path the normal form, which was matched. Edits `head`. */
export function requestText(
  head: RequestHead,
  path: string,
  match: CompiledMatch,
  backendFilters: CompiledFilters | undefined,
  client: Downstream,
  requestId: string,
  upgrades: boolean,
): string {
  const { filters } = match.rule
  if (filters === undefined && backendFilters === undefined && !client.context.trusted) {
    return requestHeadText(head, path + head.search, upgrades, forwardedLines(head, client.forwardedPrefix, requestId))
  }
  setForwarded(head, client.context, requestId)
  let target = path
  for (const stage of [filters, backendFilters]) {
    if (stage?.requestEdits !== undefined) applyEdits(head.fields, stage.requestEdits)
    if (stage?.rewrite === undefined) continue
    if (stage.rewrite.hostname !== undefined) head.fields.set('Host', 'host', stage.rewrite.hostname)
    // Of the path that was matched, always: `prefixLength` counts in no other, so a backend's takes the place of its rule's.
    if (stage.rewrite.path !== undefined) target = stage.rewrite.path(path, match.prefixLength)
  }
  return requestHeadText(head, target + head.search, upgrades)
}
