/** SessionPersistence (apis/v1 shared_types.go, GEP-1619). */
import { show } from '../issue.ts'
import { defaulted, object, optional, required } from '../schema/object.ts'
import { oneOf, text } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import { duration, headerName } from './text.ts'

interface Session {
  readonly type: string
  readonly absoluteTimeout?: string
  readonly cookie?: { readonly lifetimeType: string }
  readonly header?: object
}

const permanentCookieEnds = rule<Session>('session-timeout-required', (self) =>
  self.cookie?.lifetimeType === 'Permanent' && self.absoluteTimeout === undefined
    ? { at: ['absoluteTimeout'], must: 'must be set where cookie.lifetimeType is Permanent', got: 'nothing' }
    : undefined,
)

function onlyForType(type: string, field: 'cookie' | 'header') {
  return rule<Session>('session-field-unexpected', (self) =>
    self[field] !== undefined && self.type !== type
      ? { at: [field], must: `must be absent unless type is ${type}`, got: `type ${show(self.type)}` }
      : undefined,
  )
}

function forType(type: string, field: 'cookie' | 'header') {
  return rule<Session>('session-field-required', (self) =>
    self.type === type && self[field] === undefined ? { at: [field], must: `must be set for type ${type}`, got: 'nothing' } : undefined,
  )
}

export const sessionPersistence = object(
  {
    type: defaulted(oneOf('Cookie', 'Header'), 'Cookie'),
    absoluteTimeout: optional(duration),
    cookie: optional(
      object({
        name: optional(headerName),
        path: defaulted(text({ max: 1024 }), '/'),
        lifetimeType: defaulted(oneOf('Permanent', 'Session'), 'Session'),
      }),
    ),
    header: optional(object({ name: required(headerName) })),
  },
  {
    rules: [
      permanentCookieEnds,
      onlyForType('Cookie', 'cookie'),
      forType('Cookie', 'cookie'),
      onlyForType('Header', 'header'),
      forType('Header', 'header'),
    ],
  },
)
