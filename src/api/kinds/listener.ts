/** The listeners of a Gateway and of a ListenerSet (apis/v1 gateway_types.go, listenerset_types.go), which have one schema. */
import { externalAuth } from '../fields/external-auth.ts'
import { unionRules } from '../fields/filter-union.ts'
import { GATEWAY_GROUP, localReference, secretReference } from '../fields/reference.ts'
import { labelSelector } from '../fields/selector.ts'
import { annotationValue, group, hostname, kind, port, sectionName } from '../fields/text.ts'
import type { Listener } from '../gateway.ts'
import { show } from '../issue.ts'
import { list, map } from '../schema/collection.ts'
import { defaulted, listOrEmpty, mapOrEmpty, object, optional, required } from '../schema/object.ts'
import { oneOf, text } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import type { Schema, Violation } from '../schema/schema.ts'

const protocol = text({
  min: 1,
  max: 255,
  pattern: /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9]+$/,
  is: 'HTTP, HTTPS, TLS, TCP, UDP or a protocol such as example.com/protocol',
})

/** GatewayTLSConfig.certificateRefs: without one, an implementation's own options must say where certificates come from. */
const certificatesAreSet = rule<{ readonly mode: string; readonly certificateRefs: readonly unknown[]; readonly options: object }>(
  'tls-certificates-required',
  (self) =>
    self.mode === 'Terminate' && self.certificateRefs.length === 0 && Object.keys(self.options).length === 0
      ? { at: ['certificateRefs'], must: 'must have an item for mode Terminate (or options must be set)', got: 'nothing' }
      : undefined,
)

const tls = object(
  {
    mode: defaulted(oneOf('Terminate', 'Passthrough'), 'Terminate'),
    certificateRefs: listOrEmpty(list(secretReference, { max: 64 })),
    options: mapOrEmpty(map(annotationValue, { max: 16 })),
  },
  { rules: [certificatesAreSet] },
)

const allowedRoutes = object({
  namespaces: defaulted(object({ from: defaulted(oneOf('All', 'Selector', 'Same'), 'Same'), selector: optional(labelSelector) }), {
    from: 'Same',
  }),
  kinds: listOrEmpty(list(object({ group: defaulted(group, GATEWAY_GROUP), kind: required(kind) }), { max: 8 })),
})

const requestFilter = object(
  { type: required(oneOf('ExternalAuth', 'ExtensionRef')), externalAuth: optional(externalAuth), extensionRef: optional(localReference) },
  { rules: unionRules({ ExternalAuth: 'externalAuth', ExtensionRef: 'extensionRef' }) },
)

/** Listener.filters: for HTTP and HTTPS only. */
const filtersAreForHttp = rule<{ readonly protocol: string; readonly filters?: unknown }>('listener-filters-unexpected', (self) =>
  self.filters !== undefined && self.protocol !== 'HTTP' && self.protocol !== 'HTTPS'
    ? { at: ['filters'], must: 'must be absent unless protocol is HTTP or HTTPS', got: `protocol ${show(self.protocol)}` }
    : undefined,
)

const listener: Schema<Listener> = object(
  {
    name: required(sectionName),
    hostname: optional(hostname),
    port: required(port),
    protocol: required(protocol),
    tls: optional(tls),
    allowedRoutes: defaulted(allowedRoutes, { namespaces: { from: 'Same' } }),
    filters: optional(object({ requests: listOrEmpty(list(requestFilter, { max: 16 })) })),
  },
  { rules: [filtersAreForHttp] },
)

type Listeners = readonly Listener[]

/** A rule over each listener for itself, which the CRDs ask of the list. */
function eachListener(code: string, broken: (self: Listener) => Violation | undefined) {
  return rule<Listeners>(code, (self) => {
    for (const [index, item] of self.entries()) {
      const violation = broken(item)
      if (violation) return { ...violation, at: [index, ...(violation.at ?? [])] }
    }
    return undefined
  })
}

const tlsIsForTlsProtocols = eachListener('listener-tls-unexpected', (self) =>
  self.tls && (self.protocol === 'HTTP' || self.protocol === 'TCP' || self.protocol === 'UDP')
    ? { at: ['tls'], must: `must be absent for protocol ${self.protocol}`, got: 'an object' }
    : undefined,
)

const httpsTerminates = eachListener('listener-https-terminates', (self) =>
  self.protocol === 'HTTPS' && self.tls && self.tls.mode !== 'Terminate'
    ? { at: ['tls', 'mode'], must: 'must be Terminate for protocol HTTPS', got: show(self.tls.mode) }
    : undefined,
)

const tlsHasMode = eachListener('listener-tls-required', (self) =>
  self.protocol === 'TLS' && !self.tls ? { at: ['tls'], must: 'must be set for protocol TLS', got: 'nothing' } : undefined,
)

const hostnameIsNotForStreams = eachListener('listener-hostname-unexpected', (self) =>
  self.hostname !== undefined && (self.protocol === 'TCP' || self.protocol === 'UDP')
    ? { at: ['hostname'], must: `must be absent for protocol ${self.protocol}`, got: show(self.hostname) }
    : undefined,
)

/** GatewaySpec.listeners: port, protocol and hostname together tell listeners apart. */
const listenersDiffer = rule<Listeners>('listener-unique', (self) => {
  const seen = new Map<string, string>()
  for (const [index, { name, port, protocol, hostname }] of self.entries()) {
    const identity = JSON.stringify([port, protocol, hostname ?? null])
    const first = seen.get(identity)
    if (first !== undefined) {
      return {
        at: [index],
        must: 'must differ from the other listeners in port, protocol or hostname',
        got: `port ${port}, ${protocol}, hostname ${show(hostname)} in ${show(first)} and ${show(name)}`,
      }
    }
    seen.set(identity, name)
  }
  return undefined
})

export const listeners = list(listener, {
  min: 1,
  max: 64,
  key: 'name',
  rules: [tlsIsForTlsProtocols, httpsTerminates, tlsHasMode, hostnameIsNotForStreams, listenersDiffer],
})
