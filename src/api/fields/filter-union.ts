/** The unions told apart by `type` in which the field is named after the type: the filters of routes and listeners. */
import { show } from '../issue.ts'
import { rule } from '../schema/schema.ts'
import type { Rule } from '../schema/schema.ts'

interface Member {
  readonly type: string
}

/** The field of `type` must be there, and no other type's (the pairs of rules that each CRD holds for its filters). */
export function unionRules(fields: Readonly<Record<string, string>>): readonly Rule<Member>[] {
  return Object.entries(fields).flatMap(([type, field]) => [fieldOnlyForItsType(type, field), fieldForItsType(type, field)])
}

function fieldOnlyForItsType(type: string, field: string): Rule<Member> {
  return rule('filter-field-unexpected', (self) =>
    field in self && self.type !== type
      ? { at: [field], must: `must be absent unless type is ${type}`, got: `type ${show(self.type)}` }
      : undefined,
  )
}

function fieldForItsType(type: string, field: string): Rule<Member> {
  return rule('filter-field-required', (self) =>
    self.type === type && !(field in self) ? { at: [field], must: `must be set for type ${type}`, got: 'nothing' } : undefined,
  )
}
