/** Messages that say what to do: objects to apply, or the fields of an object that should read otherwise. */
import { yamlBlock, type YamlValue } from './yaml-block.ts'

export interface Remedy {
  /** Completes "To ..., apply:", or "To ..., change to:" where the object is there already. */
  readonly what: string
  readonly yaml: YamlValue
}

/** The problem in sentences, then the YAML that mends it, one document for each distinct remedy. */
export function withRemedies(problem: string, remedies: readonly Remedy[]): string {
  if (remedies.length === 0) return problem
  const purposes = [...new Set(remedies.map(({ what }) => what))]
  const documents = [...new Set(remedies.map(({ yaml }) => yamlBlock(yaml)))]
  const isWhole = remedies.every(({ yaml }) => isCreated(yaml))
  return `${problem} To ${listed(purposes)}, ${isWhole ? 'apply' : 'change to'}:\n${documents.join('\n---\n')}`
}

/** These are printed whole; of others only the fields that matter, and the rest must stay. */
function isCreated(yaml: YamlValue): boolean {
  return typeof yaml === 'object' && yaml !== null && 'kind' in yaml && (yaml.kind === 'Namespace' || yaml.kind === 'ReferenceGrant')
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

export function quoted(word: string): string {
  return `"${word}"`
}
