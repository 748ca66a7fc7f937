/** What the lists of rules of several route kinds must keep. */
import { show } from '../issue.ts'
import { firstRepeated } from '../schema/repeated.ts'
import { rule } from '../schema/schema.ts'

/** HTTPRouteRule.name and its like: "must be unique within a Route if set". */
export const ruleNamesAreUnique = rule<readonly { readonly name?: string }[]>('rule-name-unique', (self) => {
  const index = firstRepeated(self, ({ name }) => name)
  return index < 0 ? undefined : { at: [index, 'name'], must: 'must be unique within the route', got: `${show(self[index]?.name)} twice` }
})

/** HTTPRouteSpec.rules: 16 rules and 64 matches a rule are allowed, but 128 matches in all. */
export const matchesAreFew = rule<readonly { readonly matches: readonly unknown[] }[]>('too-many-matches', (self) => {
  const count = self.reduce((sum, { matches }) => sum + matches.length, 0)
  return count > 128 ? { must: 'must have at most 128 matches in all', got: `${count}` } : undefined
})
