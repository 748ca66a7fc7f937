/**
 * The filters of a rule or of a backend, compiled. What cannot be applied answers with an error and is never skipped,
 * wherever in the list it stands: a filter that is missing might have been the one that guards the route.
 */
import type { FilterConfig } from '../config/filter.ts'
import { compileCors } from './cors.ts'
import { compileAuth } from './external-auth.ts'
import { compileEdits, editsForwarded } from './header-edits.ts'
import { compileMirrors } from './mirror.ts'
import type { MovedPort } from './moved-ports.ts'
import { compileRedirect } from './redirect.ts'
import type { Problem } from './problem.ts'
import { compileRewrite } from './rewrite.ts'
import type { CompiledFilters } from './router.ts'

/** What filters are compiled with beside their own configuration. */
export interface FilterContext {
  /** See Router.movedPorts. */
  readonly moved: readonly MovedPort[]
  /** In [0, 1): where in its period a share of the requests begins. */
  readonly phase: () => number
}

/** `undefined` when there is nothing to do. `previous`: the filters that these replace. */
export function compileFilters(
  filters: readonly FilterConfig[],
  { moved, phase }: FilterContext,
  previous?: CompiledFilters,
): CompiledFilters | undefined {
  if (filters.length === 0) return undefined
  const failed = filters.find((filter) => filter.kind === 'fail')
  if (failed !== undefined) return failing(failed.filter, failed.reason, failed.message)
  const requestEdits = compileEdits(filters.filter((filter) => filter.kind === 'requestHeaders'))
  const responseEdits = compileEdits(filters.filter((filter) => filter.kind === 'responseHeaders'))
  const rewrite = compileFirst(
    filters.find((filter) => filter.kind === 'rewrite'),
    compileRewrite,
  )
  const redirect = compileFirst(
    filters.find((filter) => filter.kind === 'redirect'),
    (config) => compileRedirect(config, moved),
  )
  const cors = compileFirst(
    filters.find((filter) => filter.kind === 'cors'),
    compileCors,
  )
  const auth = compileFirst(
    filters.find((filter) => filter.kind === 'externalAuth'),
    compileAuth,
  )
  if (isProblem(requestEdits)) return failing('RequestHeaderModifier', 'InvalidFilter', requestEdits.problem)
  if (isProblem(responseEdits)) return failing('ResponseHeaderModifier', 'InvalidFilter', responseEdits.problem)
  if (isProblem(rewrite)) return failing('URLRewrite', 'InvalidFilter', rewrite.problem)
  if (isProblem(redirect)) return failing('RequestRedirect', 'InvalidFilter', redirect.problem)
  if (isProblem(cors)) return failing('CORS', 'InvalidFilter', cors.problem)
  if (isProblem(auth)) return failing('ExternalAuth', 'InvalidFilter', auth.problem)
  const mirrors = compileMirrors(
    filters.filter((filter) => filter.kind === 'mirror'),
    phase,
    previous?.mirrors,
  )
  const compiled = {
    answer: redirect && ({ kind: 'redirect', redirect } as const),
    requestEdits,
    responseEdits,
    rewrite,
    mirrors,
    cors,
    auth,
  }
  if (Object.values(compiled).every((part) => part === undefined)) return undefined
  // A mirror may speak HTTP/2, which knows no lines.
  return { ...compiled, seesForwarded: mirrors !== undefined || editsForwarded(requestEdits) }
}

function compileFirst<C, T>(config: C | undefined, compile: (config: C) => T): T | undefined {
  return config === undefined ? undefined : compile(config)
}

function isProblem(compiled: object | undefined): compiled is Problem {
  return compiled !== undefined && 'problem' in compiled
}

function failing(filter: string, reason: string, message: string): CompiledFilters {
  return {
    answer: { kind: 'fail', filter, reason, message },
    requestEdits: undefined,
    responseEdits: undefined,
    rewrite: undefined,
    mirrors: undefined,
    cors: undefined,
    auth: undefined,
    seesForwarded: false,
  }
}
