/**
 * The filters of a rule or of a backend, compiled. What cannot be applied answers with an error and is never skipped,
 * wherever in the list it stands: a filter that is missing might have been the one that guards the route.
 */
import type { FilterConfig } from '../config/filter.ts'
import { compileEdits } from './header-edits.ts'
import type { MovedPort } from './moved-ports.ts'
import { compileRedirect } from './redirect.ts'
import type { Problem } from './problem.ts'
import { compileRewrite } from './rewrite.ts'
import type { CompiledFilters } from './router.ts'

/** `undefined` when there is nothing to do. `moved`: see Router.movedPorts. */
export function compileFilters(filters: readonly FilterConfig[], moved: readonly MovedPort[]): CompiledFilters | undefined {
  if (filters.length === 0) return undefined
  const failed = filters.find((filter) => filter.kind === 'fail')
  if (failed !== undefined) return failing(failed.reason, failed.message)
  const requestEdits = compileEdits(filters.filter((filter) => filter.kind === 'requestHeaders'))
  if (isProblem(requestEdits)) return failing('InvalidFilter', requestEdits.problem)
  const responseEdits = compileEdits(filters.filter((filter) => filter.kind === 'responseHeaders'))
  if (isProblem(responseEdits)) return failing('InvalidFilter', responseEdits.problem)
  const rewriteConfig = filters.find((filter) => filter.kind === 'rewrite')
  const rewrite = rewriteConfig && compileRewrite(rewriteConfig)
  if (isProblem(rewrite)) return failing('InvalidFilter', rewrite.problem)
  const redirectConfig = filters.find((filter) => filter.kind === 'redirect')
  const redirect = redirectConfig && compileRedirect(redirectConfig, moved)
  if (isProblem(redirect)) return failing('InvalidFilter', redirect.problem)
  return { answer: redirect && { kind: 'redirect', redirect }, requestEdits, responseEdits, rewrite }
}

function isProblem(compiled: object | undefined): compiled is Problem {
  return compiled !== undefined && 'problem' in compiled
}

function failing(reason: string, message: string): CompiledFilters {
  return { answer: { kind: 'fail', reason, message }, requestEdits: undefined, responseEdits: undefined, rewrite: undefined }
}
