/**
 * The HTTP protocol of external authorisation (HTTPAuthConfig): the question is the request itself, with another body or
 * none, a prefix before its path and only the fields that were chosen.
 */
import type { CompiledAuth, CompiledEdit, CompiledEdits } from '../../routing/router.ts'
import { FRAMING_KINDS, HOST, kindOfName } from '../http1/field-kind.ts'
import { FieldList } from '../http1/field-list.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { OutgoingRequest } from '../upstream/upstream.ts'
import type { ConnectionContext } from './connection-context.ts'
import { setForwarded } from './forwarded.ts'

/**
 * "Content-Length must be 0" without a body, whatever the method (HTTPAuthConfig.allowedHeaders).
 * @param path the normal form
 * @param length bytes of the body that goes along
 */
export function authRequest(
  auth: CompiledAuth,
  head: RequestHead,
  path: string,
  context: ConnectionContext,
  requestId: string,
  length: number,
): OutgoingRequest {
  const fields = FieldList.empty()
  fields.add('Host', 'host', head.authority)
  for (const [name, value] of sentFields(head, context, requestId)) {
    const lower = name.toLowerCase()
    if (auth.requestHeaders === undefined || auth.requestHeaders.has(lower)) fields.add(name, lower, value)
  }
  return {
    method: head.method,
    target: (auth.pathPrefix === '' || path === '*' ? path : auth.pathPrefix + path) + head.search,
    fields,
    lines: '',
    body: { kind: 'length', length },
    expectContinue: false,
    teTrailers: false,
    upgrade: '',
  }
}

/**
 * What may go to an authorisation server: without framing and hop-by-hop fields and Host, and with what the gateway says of the
 * client in place of what it says itself. The head stays as it came.
 */
export function sentFields(head: RequestHead, context: ConnectionContext, requestId: string): [name: string, value: string][] {
  const fields = FieldList.empty()
  for (const [name, value] of head.fields.entries()) {
    const lower = name.toLowerCase()
    if (kindOfName(lower) !== HOST && lower !== 'trailer') fields.add(name, lower, value)
  }
  setForwarded({ fields, authority: head.authority }, context, requestId)
  return fields.entries()
}

/**
 * What an allowing answer does to the request: its fields replace those of the same name, and allowed ones that it does
 * not have are taken away, since they would be the client's claims. Without a list all are taken over but those that
 * describe the answer's own message and body.
 */
export function allowedEdits({ responseHeaders }: CompiledAuth, answer: FieldList): CompiledEdits {
  const set = new Map<string, CompiledEdit>()
  const add: CompiledEdit[] = []
  for (const [name, value] of answer.entries()) {
    const lower = name.toLowerCase()
    if (responseHeaders === undefined ? !isOfRequest(lower) : !responseHeaders.has(lower)) continue
    const edit = { name, lower, value }
    if (set.has(lower)) add.push(edit)
    else set.set(lower, edit)
  }
  return { set: [...set.values()], add, remove: new Set([...(responseHeaders ?? [])].filter((lower) => !set.has(lower))) }
}

function isOfRequest(lower: string): boolean {
  const kind = kindOfName(lower)
  return kind !== HOST && (FRAMING_KINDS & (1 << kind)) === 0 && !lower.startsWith('content-') && lower !== 'trailer'
}
