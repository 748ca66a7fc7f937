/** What a rule matches, resolved: names that compare, duplicates gone (Gateway API v1, HTTPRouteMatch). */
import { RE2JS } from 're2js'
import type { HttpRouteMatch, NamedValueMatch } from '../api/route.ts'
import type { HttpMatchConfig, PathMatchConfig, ValueMatchConfig } from '../config/route.ts'

export function matchConfig({ path, headers, queryParams, method }: HttpRouteMatch): HttpMatchConfig {
  return {
    path: pathConfig(path),
    ...(method === undefined ? {} : { method }),
    headers: headerConfigs(headers),
    // Names of query parameters are compared exactly (HTTPQueryParamMatch).
    query: valueConfigs(queryParams, (name) => name),
  }
}

/** Why a match cannot be served; undefined when it can. */
export function matchProblem({ path, headers, queryParams }: HttpRouteMatch): string | undefined {
  const patterns = [path, ...headers, ...queryParams].filter(({ type }) => type === 'RegularExpression')
  return patterns.map(({ value }) => regexProblem(value)).find((problem) => problem !== undefined)
}

/** Names of headers are compared without regard to case (HTTPHeaderMatch, GRPCHeaderMatch). */
export function headerConfigs(headers: readonly NamedValueMatch[]): readonly ValueMatchConfig[] {
  return valueConfigs(headers, (name) => name.toLowerCase())
}

function pathConfig({ type, value }: HttpRouteMatch['path']): PathMatchConfig {
  switch (type) {
    case 'Exact':
      return { kind: 'exact', value }
    case 'PathPrefix':
      return { kind: 'prefix', value }
    case 'RegularExpression':
      return { kind: 'regex', value }
  }
}

/** Of several entries with one name only the first counts. */
function valueConfigs(matches: readonly NamedValueMatch[], nameOf: (name: string) => string): readonly ValueMatchConfig[] {
  const byName = new Map<string, ValueMatchConfig>()
  for (const { type, name, value } of matches) {
    const key = nameOf(name)
    if (!byName.has(key)) byName.set(key, { kind: type === 'Exact' ? 'exact' : 'regex', name: key, value })
  }
  return [...byName.values()]
}

/** A clause; undefined for a good pattern. */
export function regexProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return `the regular expression ${JSON.stringify(pattern)} is not RE2 syntax (${detail})`
  }
}
