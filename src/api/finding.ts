/** What is worth saying to a person and is no condition: shadowed rules, undefined Services, doubtful settings. */
import type { ObjectRef } from './meta.ts'

export interface Finding {
  /** Stable, kebab-case, e.g. `service-not-defined`. */
  readonly code: string
  readonly severity: 'error' | 'warning' | 'note'
  /** The object that the finding is about; the file source maps it and `path` to file:line:column. */
  readonly object?: ObjectRef
  readonly path?: readonly (string | number)[]
  readonly message: string
  /** What to do: a sentence, or YAML to add. */
  readonly fix?: { readonly text: string } | { readonly yaml: string }
  /** Findings with the same cause are shown as one entry. */
  readonly cause?: string
}
