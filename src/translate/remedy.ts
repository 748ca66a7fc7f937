/** Messages that say what to apply. Partial objects are meant for server-side apply, which merges listeners by their name. */
import { yamlBlock, type YamlValue } from './yaml-block.ts'

export interface Remedy {
  /** Completes "To ..., apply:". */
  readonly what: string
  readonly yaml: YamlValue
}

/** The problem in sentences, then the YAML that mends it, one document for each distinct remedy. */
export function withRemedies(problem: string, remedies: readonly Remedy[]): string {
  if (remedies.length === 0) return problem
  const purposes = [...new Set(remedies.map(({ what }) => what))]
  const documents = [...new Set(remedies.map(({ yaml }) => yamlBlock(yaml)))]
  return `${problem} To ${listed(purposes)}, apply:\n${documents.join('\n---\n')}`
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

export function quoted(word: string): string {
  return `"${word}"`
}
