/**
 * HTTPPathModifier, shared by redirects and rewrites. The table in the prose of ReplacePrefixMatch comes down to:
 * take the matched prefix without its trailing slash away, put the replacement without its trailing slash there, and
 * `/` stands for nothing at all. Both halves are normal paths cut at a slash, so their sum is one as well.
 */
import type { PathEdit } from '../config/filter.ts'
import { pathValue } from './path-value.ts'
import type { Problem } from './problem.ts'

export type CompiledPathEdit = (path: string, prefixLength: number) => string

/** `''` as a replacement means `/`. */
export function compilePathEdit(edit: PathEdit | undefined): CompiledPathEdit | Problem {
  if (edit === undefined) return (path) => path
  const value = pathValue(edit.value === '' ? '/' : edit.value)
  if (value === undefined)
    return { problem: `Cannot replace a path: it must begin with "/" and stay below the root, got ${JSON.stringify(edit.value)}` }
  switch (edit.kind) {
    case 'full':
      return () => value
    case 'prefix': {
      const prefix = value.endsWith('/') ? value.slice(0, -1) : value
      // `*` of OPTIONS has no elements.
      return (path, prefixLength) => (path.startsWith('/') ? prefix + path.slice(prefixLength) || '/' : path)
    }
  }
}
