/** Filters that HTTPRoute and GRPCRoute share (apis/v1 httproute_types.go, grpcroute_types.go). */
import { list } from '../schema/collection.ts'
import { defaulted, listOrEmpty, object, optional, required } from '../schema/object.ts'
import { integer, text } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import { backendObjectReference } from './reference.ts'
import { headerName, headerValue } from './text.ts'

const headers = list(object({ name: required(headerName), value: required(headerValue) }), { max: 16, key: 'name' })

export const headerModifier = object({
  set: listOrEmpty(headers),
  add: listOrEmpty(headers),
  remove: listOrEmpty(list(text(), { max: 16, unique: true })),
})

const fractionIsAtMostOne = rule<{ readonly numerator: number; readonly denominator: number }>('fraction-at-most-one', (self) =>
  self.numerator > self.denominator
    ? { at: ['numerator'], must: `must be at most the denominator ${self.denominator}`, got: `${self.numerator}` }
    : undefined,
)

export const fraction = object(
  { numerator: required(integer({ min: 0 })), denominator: defaulted(integer({ min: 1 }), 100) },
  { rules: [fractionIsAtMostOne] },
)

const percentOrFraction = rule<{ readonly percent?: number; readonly fraction?: object }>('mirror-percent-or-fraction', (self) =>
  self.percent !== undefined && self.fraction !== undefined
    ? { at: ['fraction'], must: 'must be absent where percent is set', got: `percent ${self.percent}` }
    : undefined,
)

export const requestMirror = object(
  {
    backendRef: required(backendObjectReference),
    percent: optional(integer({ min: 0, max: 100 })),
    fraction: optional(fraction),
  },
  { rules: [percentOrFraction] },
)

interface Filter {
  readonly type: string
}

/** "This may be specified at most once": these filters cannot be repeated in one list. */
export function atMostOne(type: string) {
  return rule<readonly Filter[]>('filter-repeated', (self) => {
    const first = self.findIndex((filter) => filter.type === type)
    const second = self.findIndex((filter, index) => filter.type === type && index > first)
    return second < 0
      ? undefined
      : { at: [second], must: `must not be a second filter of type ${type}`, got: `one already in item ${first}` }
  })
}
