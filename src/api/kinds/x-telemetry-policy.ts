/** XTelemetryPolicy (apisx/v1alpha1 xtelemetrypolicy_types.go). */
import { fraction } from '../fields/filter.ts'
import { backendObjectReference, localReference } from '../fields/reference.ts'
import { headerName, headerValue } from '../fields/text.ts'
import { show } from '../issue.ts'
import { list } from '../schema/collection.ts'
import { defaulted, object, optional, required } from '../schema/object.ts'
import { oneOf, text } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import type { Schema } from '../schema/schema.ts'
import { EXPERIMENTAL_GROUP } from '../x-backend.ts'
import type { XTelemetryPolicy } from '../x-telemetry-policy.ts'
import { EXPERIMENTAL_V1ALPHA1, root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'
import { policyStatus } from './status.ts'

const mode = defaulted(oneOf('Enabled', 'Disabled', 'ImplementationDefault'), 'ImplementationDefault')
const tokens = 'letters, digits and "_.:/-"'

interface Sourced {
  readonly sourceType: string
  readonly headerName?: string
  readonly literalValue?: string
  readonly attributeKey?: string
}

/** Attribute.sourceType is the discriminator: the field of the source is there, the others are not. */
function fieldOf(sourceType: string, field: 'headerName' | 'literalValue' | 'attributeKey') {
  return rule<Sourced>(`attribute-${sourceType.toLowerCase()}`, (self) => {
    if ((self.sourceType === sourceType) === (self[field] !== undefined)) return undefined
    const must =
      self.sourceType === sourceType ? `must be set for sourceType ${sourceType}` : `must be absent for sourceType ${self.sourceType}`
    return { at: [field], must, got: show(self[field]) }
  })
}

const attribute = object(
  {
    name: required(text({ min: 1, max: 256, pattern: /^[a-zA-Z0-9_.:/-]+$/, is: tokens })),
    sourceType: required(oneOf('Header', 'Literal', 'Attribute')),
    headerName: optional(headerName),
    literalValue: optional(text({ min: 1, max: 1024 })),
    attributeKey: optional(text({ min: 1, max: 256, pattern: /^[a-z0-9_.-]+$/, is: 'small letters, digits and "_.-"' })),
  },
  { rules: [fieldOf('Header', 'headerName'), fieldOf('Literal', 'literalValue'), fieldOf('Attribute', 'attributeKey')] },
)

interface Switched {
  readonly mode: string
}

function onlyEnabled<K extends string>(field: K) {
  return rule<Switched & { readonly [F in K]?: unknown }>(`tracing-${field.toLowerCase()}`, (self) =>
    self[field] === undefined || self.mode === 'Enabled'
      ? undefined
      : { at: [field], must: 'must be absent unless mode is Enabled', got: `mode ${self.mode}` },
  )
}

const providerIfEnabled = rule<Switched & { readonly provider?: unknown }>('tracing-provider', (self) => {
  if ((self.mode === 'Enabled') === (self.provider !== undefined)) return undefined
  const must = self.mode === 'Enabled' ? 'must be set where mode is Enabled' : 'must be absent unless mode is Enabled'
  return { at: ['provider'], must, got: self.provider === undefined ? 'nothing' : `mode ${self.mode}` }
})

const provider = object({
  backendRef: required(backendObjectReference),
  headers: optional(list(object({ name: required(headerName), value: required(headerValue) }), { max: 16, key: 'name' })),
})

const parentBasedSampling = object({ mode, samplingRate: optional(fraction) }, { rules: [onlyEnabled('samplingRate')] })

const tracing = object(
  {
    mode,
    provider: optional(provider),
    samplingRate: optional(fraction),
    parentBasedSampling: optional(parentBasedSampling),
    serviceName: optional(text({ min: 1, max: 253, pattern: /^[a-zA-Z0-9_.:/-]+$/, is: tokens })),
    spanName: optional(
      text({
        min: 1,
        max: 256,
        pattern: /^[a-zA-Z0-9_.:/-]+(?: [a-zA-Z0-9_.:/-]+)*$/,
        is: `words of ${tokens} with single spaces between`,
      }),
    ),
    attributes: optional(list(attribute, { key: 'name' })),
  },
  {
    rules: [
      providerIfEnabled,
      onlyEnabled('samplingRate'),
      onlyEnabled('parentBasedSampling'),
      onlyEnabled('serviceName'),
      onlyEnabled('spanName'),
      onlyEnabled('attributes'),
    ],
  },
)

const schema: Schema<XTelemetryPolicy> = object({
  ...root(EXPERIMENTAL_V1ALPHA1, 'XTelemetryPolicy', 'Namespaced'),
  spec: required(
    object({
      targetRefs: required(list(localReference, { min: 1, max: 16 })),
      // The rule "at least one of the fields in [tracing] must be set".
      tracing: required(tracing),
    }),
  ),
  status: policyStatus,
})

export const xTelemetryPolicy: KindDefinition = {
  group: EXPERIMENTAL_GROUP,
  kind: 'XTelemetryPolicy',
  scope: 'Namespaced',
  served: versions(schema, 'v1alpha1'),
}
