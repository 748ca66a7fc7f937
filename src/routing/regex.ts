/**
 * Regular expressions of matches: RE2 syntax in linear time, so that no user's pattern can stall the process.
 * The API leaves dialect and anchoring of RegularExpression to the implementation (PathMatchType, HeaderMatchType);
 * here a pattern has to match the whole value, case-sensitively.
 */
import { RE2JS } from 're2js'
import { bytesOf, isAscii } from './byte-string.ts'
import type { Problem } from './problem.ts'

export interface WholeRegex {
  /** `value` is a byte string, read as UTF-8. */
  matches(value: string): boolean
}

/** The expression, or what is wrong with the pattern. */
export function compileRegex(pattern: string): WholeRegex | Problem {
  let regex: RE2JS
  try {
    regex = RE2JS.compile(pattern)
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
  return { matches: (value) => regex.testExact(isAscii(value) ? value : bytesOf(value)) }
}
