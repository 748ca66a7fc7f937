/** Statuses as far as anybody reads them: conditions, and what other controllers wrote beside ours. */
import { show } from '../issue.ts'
import { list } from '../schema/collection.ts'
import { attempted, defaulted, listOrEmpty, object, optional, required } from '../schema/object.ts'
import { integer, oneOf, text } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import { group, hostnamePattern, kind, namespace, objectName, port, sectionName } from '../fields/text.ts'
import { routability } from './gateway-address.ts'

const conditions = list(
  object(
    {
      type: required(text({ min: 1, max: 316 })),
      status: required(oneOf('True', 'False', 'Unknown')),
      reason: required(text({ min: 1, max: 1024 })),
      message: required(text({ max: 32768 })),
      observedGeneration: defaulted(integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), 0),
      lastTransitionTime: optional(text()),
    },
    { unread: '*' },
  ),
  { key: 'type' },
)

const parentRef = object(
  {
    group: optional(group),
    kind: optional(kind),
    name: required(objectName),
    namespace: optional(namespace),
    sectionName: optional(sectionName),
    port: optional(port),
  },
  { unread: '*' },
)

const controllerName = text({ min: 1, max: 253 })

/** GatewayStatusAddress: a Hostname is a DNS name. */
const statusHostname = rule<{ readonly type: string; readonly value: string }>('address-hostname', (self) =>
  self.type === 'Hostname' && !hostnamePattern.test(self.value)
    ? { at: ['value'], must: 'must be a DNS name', got: show(self.value) }
    : undefined,
)

const gatewayAddress = object(
  {
    type: defaulted(text({ min: 1, max: 253 }), 'IPAddress'),
    value: required(text({ min: 1, max: 253 })),
    routability: optional(routability),
  },
  { rules: [statusHostname], unread: '*' },
)

/** GatewayClass, ListenerSet. */
export const conditionsStatus = attempted(object({ conditions: optional(conditions) }, { unread: '*' }))

export const gatewayStatus = attempted(
  object({ conditions: optional(conditions), addresses: optional(list(gatewayAddress, { max: 16 })) }, { unread: '*' }),
)

export const routeStatus = attempted(
  object(
    {
      parents: listOrEmpty(
        list(
          object(
            { parentRef: required(parentRef), controllerName: required(controllerName), conditions: optional(conditions) },
            { unread: '*' },
          ),
        ),
      ),
    },
    { unread: '*' },
  ),
)

export const policyStatus = attempted(
  object(
    {
      ancestors: optional(
        list(
          object(
            { ancestorRef: required(parentRef), controllerName: required(controllerName), conditions: optional(conditions) },
            { unread: '*' },
          ),
        ),
      ),
    },
    { unread: '*' },
  ),
)
