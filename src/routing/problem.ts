/** Instead of what was to be compiled: why it cannot be. Invalid input is a value, the rule that holds it answers with an error. */
export interface Problem {
  /** "Cannot X: Y must be Z, got W". */
  readonly problem: string
}
