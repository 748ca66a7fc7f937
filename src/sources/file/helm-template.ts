/** Documents that Helm has yet to render: `{{` where YAML expects a value. */

/** A line that begins with an action, or a value that holds one outside quotes. */
const ACTION = /^[ \t]*(?:- )*(?:\{\{|["']?[\w./-]+["']?:[ \t]+(?:[^\s"'#|>&][^\n#]*)?\{\{|["']?[\w./-]+["']?:[ \t]+\{\{|[^\s"'#:]+\{\{)/m
/** The kinds whose data may well hold the template language of another program. */
const DATA = /^(?:data|stringData|binaryData):/m
const KIND_OF_OURS =
  /^kind:[ \t]*(?:GatewayClass|Gateway|ListenerSet|\w+Route|ReferenceGrant|BackendTLSPolicy|XBackend(?:TrafficPolicy)?|Service|EndpointSlice)\b/m
const KIND_OF_DATA = /^kind:[ \t]*(?:ConfigMap|Secret|Namespace)\b/m

export function isTemplate(text: string, kind: string | undefined): boolean {
  if (!text.includes('{{')) return false
  if (KIND_OF_OURS.test(text)) return ACTION.test(text)
  if (KIND_OF_DATA.test(text)) {
    const data = text.search(DATA)
    return ACTION.test(data < 0 ? text : text.slice(0, data))
  }
  return kind === undefined && ACTION.test(text)
}
