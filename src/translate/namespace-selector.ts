/** Which namespaces a selector takes, and which labels a namespace would need (metav1.LabelSelector; all requirements must hold). */
import type { LabelSelector, LabelSelectorRequirement } from '../api/meta.ts'
import type { Reader } from './memo.ts'
import type { YamlValue } from './yaml-block.ts'

export type Labels = Readonly<Record<string, string>>

const NAME_LABEL = 'kubernetes.io/metadata.name'

/** The API server sets the name label on every namespace; one that no object defines has only that. */
export function labelsOf(read: Reader, namespace: string): Labels {
  return { ...read.get('Namespace', '', namespace)?.metadata.labels, [NAME_LABEL]: namespace }
}

export function selects(selector: LabelSelector, labels: Labels): boolean {
  return requirements(selector).every((requirement) => holds(requirement, labels[requirement.key]))
}

/** What the labels fall short of, in words: `label purpose=routing`, `no label legacy`. */
export function shortfalls(selector: LabelSelector, labels: Labels): readonly string[] {
  return requirements(selector)
    .filter((requirement) => !holds(requirement, labels[requirement.key]))
    .map(inWords)
}

/** The namespace with labels that the selector takes, its others kept; undefined when only another name would do, or nothing at all. */
export function namespaceToApply(selector: LabelSelector, namespace: string, labels: Labels): YamlValue | undefined {
  const mended: Record<string, string> = { ...labels }
  const all = requirements(selector)
  for (const key of new Set(all.map((requirement) => requirement.key))) {
    const own = all.filter((requirement) => requirement.key === key)
    const candidates = [
      labels[key],
      ...own.flatMap(({ operator, values }) => (operator === 'In' ? (values ?? []) : [])),
      undefined,
      'true',
      'yes',
    ]
    const index = candidates.findIndex((value) => own.every((requirement) => holds(requirement, value)))
    if (index === -1) return undefined
    const value = candidates[index]
    if (value === undefined) delete mended[key]
    else mended[key] = value
  }
  if (mended[NAME_LABEL] !== labels[NAME_LABEL]) return undefined
  delete mended[NAME_LABEL]
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: mended } }
}

function requirements({ matchLabels = {}, matchExpressions = [] }: LabelSelector): readonly LabelSelectorRequirement[] {
  return [...Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'In' as const, values: [value] })), ...matchExpressions]
}

function holds({ operator, values = [] }: LabelSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}

function inWords({ key, operator, values = [] }: LabelSelectorRequirement): string {
  switch (operator) {
    case 'In':
      return `the label ${key}=${values.join('|')}`
    case 'NotIn':
      return `a label ${key} other than ${values.join('|')}, or none`
    case 'Exists':
      return `a label ${key}`
    case 'DoesNotExist':
      return `no label ${key}`
  }
}
