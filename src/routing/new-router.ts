/** A Router from its parts; what only some of its users need is made when they ask. */
import type { CompiledRule, Router } from './router.ts'

export function newRouter(parts: Omit<Router, 'rules'>): Router {
  let rules: Map<string, CompiledRule> | undefined
  return {
    ...parts,
    get rules() {
      rules ??= new Map(parts.compiled.flatMap((ofRoute) => ofRoute.map((rule) => [rule.config.key, rule])))
      return rules
    },
  }
}
