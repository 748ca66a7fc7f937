/**
 * Paths from a configuration, brought into the form that requests have when they are matched and forwarded
 * (docs/wire.md), so that `/caf%c3%a9`, `/café` and `/a/../café` all mean what a person expects.
 */
import { normalPath } from '../lib/path-normal.ts'
import { toByteString } from './byte-string.ts'

// What a request's path cannot hold raw; the parser accepts the rest of 0x21-0x7E as it comes.
const notInPath = /[^\x21-\x7e]|[#?]/g

/** The path as requests spell it; undefined when no request can have it, because it would have been refused. */
export function pathValue(text: string): string | undefined {
  if (!text.startsWith('/')) return undefined
  return normalPath(toByteString(text).replace(notInPath, percentEncoded))
}

/** Without one trailing slash, so `''` for `/`: "a trailing / is ignored" (PathMatchType, PathPrefix). */
export function prefixValue(text: string): string | undefined {
  const path = pathValue(text)
  return path?.endsWith('/') === true ? path.slice(0, -1) : path
}

function percentEncoded(character: string): string {
  return '%' + character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')
}
