/** XBackendTrafficPolicy (apisx/v1alpha1 xbackendtrafficpolicy_types.go, GEP-3388). */
import { parseDuration } from '../../lib/duration.ts'
import { localReference } from '../fields/reference.ts'
import { sessionPersistence } from '../fields/session-persistence.ts'
import { duration } from '../fields/text.ts'
import { show } from '../issue.ts'
import { list } from '../schema/collection.ts'
import { defaulted, object, optional, required } from '../schema/object.ts'
import { integer } from '../schema/scalar.ts'
import { firstRepeated } from '../schema/repeated.ts'
import { rule, ruled } from '../schema/schema.ts'
import type { Schema } from '../schema/schema.ts'
import { EXPERIMENTAL_GROUP } from '../x-backend.ts'
import type { XBackendTrafficPolicy } from '../x-backend.ts'
import { EXPERIMENTAL_V1ALPHA1, root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'
import { policyStatus } from './status.ts'

const second = 1_000
const hour = 3_600_000

const aSecondToAnHour = rule<string>('retry-interval', (self) => {
  const milliseconds = parseDuration(self) ?? 0
  return milliseconds < second || milliseconds > hour ? { must: 'must be between 1s and 1h', got: show(self) } : undefined
})

const atMostAnHour = rule<string>('rate-interval', (self) => {
  const milliseconds = parseDuration(self) ?? 0
  return milliseconds === 0 || milliseconds > hour ? { must: 'must be longer than 0s and at most 1h', got: show(self) } : undefined
})

/** listType=map: group, kind and name are the key. */
const targetsDiffer = rule<readonly { readonly group: string; readonly kind: string; readonly name: string }[]>('duplicate-key', (self) => {
  const index = firstRepeated(self, ({ group, kind, name }) => JSON.stringify([group, kind, name]))
  return index < 0 ? undefined : { at: [index], must: 'must differ from the other targets', got: `${show(self[index]?.name)} twice` }
})

const budget = object({
  percent: defaulted(integer({ min: 0, max: 100 }), 20),
  interval: defaulted(ruled(duration, [aSecondToAnHour]), '10s'),
})

const requestRate = object({
  count: optional(integer({ min: 1, max: 1_000_000 })),
  interval: optional(ruled(duration, [atMostAnHour])),
})

const schema: Schema<XBackendTrafficPolicy> = object({
  ...root(EXPERIMENTAL_V1ALPHA1, 'XBackendTrafficPolicy', 'Namespaced'),
  spec: required(
    object({
      targetRefs: required(list(localReference, { min: 1, max: 16, rules: [targetsDiffer] })),
      retryConstraint: optional(
        object({
          budget: defaulted(budget, { percent: 20, interval: '10s' }),
          minRetryRate: defaulted(requestRate, { count: 10, interval: '1s' }),
        }),
      ),
      sessionPersistence: optional(sessionPersistence),
    }),
  ),
  status: policyStatus,
})

export const xBackendTrafficPolicy: KindDefinition = {
  group: EXPERIMENTAL_GROUP,
  kind: 'XBackendTrafficPolicy',
  scope: 'Namespaced',
  served: versions(schema, 'v1alpha1'),
}
