/** Label selectors and the names of labels and annotations (apimachinery, pkg/apis/meta/v1/validation and util/validation). */
import { show } from '../issue.ts'
import type { LabelSelectorRequirement } from '../meta.ts'
import { list, map } from '../schema/collection.ts'
import { object, optional, required } from '../schema/object.ts'
import { text } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import type { Schema } from '../schema/schema.ts'
import { subdomainPattern } from './text.ts'

const namePart = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

/** `name` or `prefix/name`: the prefix a DNS name of at most 253 characters, the name at most 63 long. */
export function isQualifiedName(key: string): boolean {
  const slash = key.indexOf('/')
  if (slash < 0) return namePart.test(key)
  const prefix = key.slice(0, slash)
  return prefix.length <= 253 && subdomainPattern.test(prefix) && namePart.test(key.slice(slash + 1))
}

export const QUALIFIED_NAME = 'a name of at most 63 letters, digits, "-", "_" and ".", with at most a DNS name and "/" before it'

export const labelValue = text({
  max: 63,
  pattern: /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/,
  is: 'empty, or letters, digits, "-", "_" and "." that begin and end with a letter or digit',
})

const OPERATORS: readonly string[] = ['In', 'NotIn', 'Exists', 'DoesNotExist']
const requirement = object({ key: required(text()), operator: required(text()), values: optional(list(text())) })

/**
 * The CRDs put no limits on a selector, so the API server takes any text here; a controller that cannot build the
 * selector (apimachinery, labels.NewRequirement) finds nothing with it. We read such a requirement as one that nothing
 * meets, and warn.
 */
const matchExpression: Schema<LabelSelectorRequirement> = {
  read(value, at) {
    const read = requirement.read(value, at)
    if (!read) return undefined
    const { key, operator, values = [] } = read
    const nothing: LabelSelectorRequirement = { key, operator: 'In', values: [] }
    if (!isOperator(operator)) {
      at.warn('selector-operator', `must be one of ${OPERATORS.join(', ')}, or nothing is selected`, show(operator), ['operator'])
      return nothing
    }
    const takesValues = operator === 'In' || operator === 'NotIn'
    if (takesValues === (values.length === 0)) {
      const must = takesValues ? 'must not be empty' : 'must be empty'
      at.warn('selector-values', `${must} for operator ${operator}, or nothing is selected`, `${values.length} values`, ['values'])
      return nothing
    }
    return { key, operator, values }
  },
}

function isOperator(operator: string): operator is LabelSelectorRequirement['operator'] {
  return OPERATORS.includes(operator)
}

export const labelSelector = object({ matchLabels: optional(map(text())), matchExpressions: optional(list(matchExpression)) })

export const keysAreQualified = rule<Readonly<Record<string, unknown>>>('qualified-name', (self) => {
  const wrong = Object.keys(self).find((key) => !isQualifiedName(key))
  return wrong === undefined ? undefined : { at: [wrong], must: `must have as key ${QUALIFIED_NAME}`, got: show(wrong) }
})

/** The CRDs' own bound for the keys of spec.infrastructure: one less than everywhere else. */
export const keyPrefixesAreShort = rule<Readonly<Record<string, unknown>>>('key-prefix-too-long', (self) => {
  const wrong = Object.keys(self).find((key) => key.indexOf('/') >= 253)
  return wrong === undefined
    ? undefined
    : { at: [wrong], must: 'must have at most 252 characters before the "/" of its key', got: `${wrong.indexOf('/')}` }
})
