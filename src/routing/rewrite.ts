/** HTTPURLRewriteFilter: the Host and the path that the backend is asked for. The query stays as it came. */
import type { FilterConfig } from '../config/filter.ts'
import { compilePathEdit } from './path-edit.ts'
import { isHostname } from './redirect.ts'
import type { CompiledRewrite } from './router.ts'
import type { Problem } from './problem.ts'

type RewriteConfig = Extract<FilterConfig, { kind: 'rewrite' }>

export function compileRewrite(config: RewriteConfig): CompiledRewrite | Problem {
  const path = config.path && compilePathEdit(config.path)
  if (typeof path === 'object') return path
  const hostname = config.hostname?.toLowerCase()
  if (hostname !== undefined && !isHostname(hostname)) {
    return { problem: `Cannot rewrite the host: it must be a DNS name, got ${JSON.stringify(hostname)}` }
  }
  return { hostname, path }
}
