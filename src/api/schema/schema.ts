/**
 * A small schema: how a JSON value becomes a typed, immutable value, as the API server of Kubernetes would take it.
 *
 * A schema reads a value and returns what it means (defaults filled in), or tells the reader what is wrong and returns
 * undefined. It goes on after an error, so that one look finds all of them. As in the API server a null counts as
 * absent wherever the field is not nullable, an unknown field is passed over (here with a warning), lengths count code
 * points, and a rule over several fields is asked only where these fields themselves are right.
 *
 * Nothing here knows a kind: src/api/fields and src/api/kinds say what the fields are, src/api/parse.ts chooses.
 */
import { formatPath } from '../issue.ts'
import type { Issue, Path } from '../issue.ts'

export interface Schema<T> {
  /** Undefined means refused, with the reason given to `at`. */
  read(value: unknown, at: Reader): T | undefined
}

/** What a rule has to say when it is broken. */
export interface Violation {
  /** From the value that the rule is about to the one to blame; none is that value itself. */
  readonly at?: Path
  /** Follows the path in the message: `must start with "/"`. */
  readonly must: string
  /** Follows "got" in the message. */
  readonly got: string
}

/** One rule over a value that is right in itself (a CEL rule of the CRDs, or of the API server's own code). */
export interface Rule<T> {
  readonly code: string
  readonly broken: (self: T) => Violation | undefined
}

export function rule<T>(code: string, broken: (self: T) => Violation | undefined): Rule<T> {
  return { code, broken }
}

/** A schema with rules of its own; objects and lists take theirs directly. */
export function ruled<T>(schema: Schema<T>, rules: readonly Rule<T>[]): Schema<T> {
  return {
    read(value, at) {
      const before = at.errors
      const read = schema.read(value, at)
      if (read !== undefined) at.check(rules, read)
      return at.errors > before ? undefined : read
    },
  }
}

/** Where a reading stands, and what it found. */
export class Reader {
  readonly kind: string
  readonly defaultNamespace: string
  readonly issues: Issue[] = []
  readonly #path: (string | number)[] = []
  #errors = 0

  constructor(kind: string, defaultNamespace: string) {
    this.kind = kind
    this.defaultNamespace = defaultNamespace
  }

  /** How many errors so far: the same number before and after a part means that the part is right. */
  get errors(): number {
    return this.#errors
  }

  enter(step: string | number): void {
    this.#path.push(step)
  }

  leave(): void {
    this.#path.pop()
  }

  error(code: string, must: string, got: string, at: Path = []): void {
    this.#errors++
    this.#add('error', code, must, got, at)
  }

  warn(code: string, must: string, got: string, at: Path = []): void {
    this.#add('warning', code, must, got, at)
  }

  check<T>(rules: readonly Rule<T>[], self: T): void {
    for (const { code, broken } of rules) {
      const violation = broken(self)
      if (violation) this.error(code, violation.must, violation.got, violation.at)
    }
  }

  /** Reads a part that cannot refuse the object: its errors become warnings and the part is left out. */
  attempt<T>(schema: Schema<T>, value: unknown): T | undefined {
    const issues = this.issues.length
    const errors = this.#errors
    const result = schema.read(value, this)
    if (this.#errors === errors) return result
    this.#errors = errors
    const found = this.issues.splice(issues)
    this.issues.push(...found.map((issue) => ({ ...issue, severity: 'warning' as const })))
    return undefined
  }

  #add(severity: Issue['severity'], code: string, must: string, got: string, at: Path): void {
    const path = [...this.#path, ...at]
    const verb = severity === 'error' ? 'Cannot accept' : 'Cannot fully use'
    this.issues.push({ severity, path, message: `${verb} ${this.kind}: ${formatPath(path) || 'it'} ${must}, got ${got}`, code })
  }
}
