/** Everything that there is to say about the objects and is no condition: of the files, of translate, of routing. One list, located. */
import type { Finding } from '../api/finding.ts'
import type { ObjectRef } from '../api/meta.ts'
import type { GatewayConfig } from '../config/config.ts'
import { compile } from '../routing/compile.ts'
import type { Router } from '../routing/router.ts'
import { shadowed, type Shadowed, type TableShadows } from '../routing/shadow.ts'
import type { FileRead } from '../sources/file/assembly.ts'
import type { LocatedFinding } from '../sources/source.ts'

/** What routing found is remembered by its Router, and where nothing else of it changed by the tables of its hosts. */
export interface Routed {
  /** The Router that serves a Gateway's configuration, where there is one. */
  readonly routerOf: (gateway: string) => Router | undefined
  readonly findings: WeakMap<Router, readonly Finding[]>
  readonly tables: TableShadows
}

export function allFindings(
  read: FileRead,
  translated: readonly Finding[],
  configs: readonly GatewayConfig[],
  routed: Routed = { routerOf: () => undefined, findings: new WeakMap(), tables: new WeakMap() },
): LocatedFinding[] {
  const refused = refusedObjects(read)
  const found = [...read.findings, ...translated.map((finding) => locate(read, sayRefused(finding, refused)))]
  for (const config of configs) {
    const router = routed.routerOf(config.gateway) ?? compile(config)
    const known = routed.findings.get(router) ?? routingFindings(router, routed.tables)
    routed.findings.set(router, known)
    found.push(...known.map((finding) => locate(read, finding)))
  }
  return unique(found)
}

/** `Kind/namespace/name` of what a file defines so badly that it was not taken, and that has no version from before. */
export function refusedObjects(read: FileRead): ReadonlySet<string> {
  const bad = read.findings.flatMap(({ severity, object }) => (severity === 'error' && object !== undefined ? [object] : []))
  return new Set(
    bad.filter((object) => read.locate(object) === undefined).map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`),
  )
}

/** translate knows only what was taken; who wrote the object would look for it in vain under "not defined". */
function sayRefused(finding: Finding, refused: ReadonlySet<string>): Finding {
  if (finding.cause === undefined || !refused.has(finding.cause)) return finding
  return { ...finding, message: finding.message.replace('is not defined here', 'is refused here (its errors say why)') }
}

function locate(read: FileRead, finding: Finding): LocatedFinding {
  const at = finding.object === undefined ? undefined : read.locate(finding.object, finding.path)
  return at === undefined ? finding : { ...finding, at }
}

function routingFindings(router: Router, tables: TableShadows): Finding[] {
  const { config } = router
  return [...shadowed(config, router, tables).map((shadow) => shadowFinding(config, shadow)), ...filterFindings(router)]
}

/** Filters that are valid objects and cannot be applied: the rule answers 500. Those that translate refused have a condition. */
function filterFindings(router: Router): Finding[] {
  const findings: Finding[] = []
  for (const rules of router.compiled) {
    for (const rule of rules) {
      const answer = rule.filters?.answer
      if (answer?.kind !== 'fail' || rule.config.filters.some(({ kind }) => kind === 'fail')) continue
      findings.push({
        code: 'filter-not-applicable',
        severity: 'error',
        object: routeRef(rule.route),
        path: ['spec', 'rules', rule.config.index, 'filters'],
        message: `Requests of this rule get a 500: ${answer.message}`,
      })
    }
  }
  return findings
}

/** `HTTPRoute/namespace/name` */
function routeRef(route: string): ObjectRef {
  const [kind = '', namespace = '', name = ''] = route.split('/')
  return { kind, namespace, name }
}

function shadowFinding(config: GatewayConfig, { route, rule, match, text }: Shadowed): Finding {
  const rules = config.routes.find(({ key }) => key === route)?.rules ?? []
  const index = rules.find(({ key }) => key === rule)?.index
  const path = index === undefined ? ['spec', 'rules'] : ['spec', 'rules', index, 'matches', match]
  return {
    code: 'match-shadowed',
    severity: 'warning',
    object: routeRef(route),
    path,
    message: text,
    fix: { text: 'Remove it, or make it more specific than what takes its requests.' },
  }
}

/** A route on two Gateways is shadowed on both in the same words: said once. What is about no object is about its place. */
function unique(findings: readonly LocatedFinding[]): LocatedFinding[] {
  const seen = new Set<string>()
  return findings.filter((finding) => {
    const { code, object, path, message, at } = finding
    const key = JSON.stringify([code, object, path, message, object === undefined ? at : undefined])
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
