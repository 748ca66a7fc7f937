/** What parse has to say about one place of one object. Only the file source knows the line and column of a path. */

export type Path = readonly (string | number)[]

export interface Issue {
  /** An error refuses the object; a warning does not. */
  readonly severity: 'error' | 'warning'
  /** From the root of the object to the value; of a missing field, the place where it belongs. */
  readonly path: Path
  /** "Cannot accept HTTPRoute: spec.rules[0].name must be ..., got ...". */
  readonly message: string
  /** Stable name of the rule: `required`, `pattern`, `path-absolute` ... */
  readonly code: string
}

const PLAIN_STEP = /^[A-Za-z_][-A-Za-z0-9_]*$/

/** `spec.rules[0].matches[1].path.value`; a key that is no plain word is quoted: `metadata.labels["a.b/c"]`. */
export function formatPath(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (!PLAIN_STEP.test(step)) text += `[${JSON.stringify(step)}]`
    else text += text === '' ? step : `.${step}`
  }
  return text
}

const LONGEST_QUOTE = 60

/** A value as the "got" of a message: short, one line. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(value.length > LONGEST_QUOTE ? `${value.slice(0, LONGEST_QUOTE)}...` : value)
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  return Array.isArray(value) ? 'a list' : 'an object'
}
