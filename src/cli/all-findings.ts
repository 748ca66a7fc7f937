/** Everything that there is to say about the objects and is no condition: of the files, of translate, of routing. One list, located. */
import type { Finding } from '../api/finding.ts'
import type { ObjectRef } from '../api/meta.ts'
import type { GatewayConfig } from '../config/config.ts'
import { compile } from '../routing/compile.ts'
import type { Router } from '../routing/router.ts'
import { shadowed, type Shadowed, type TableShadows } from '../routing/shadow.ts'
import type { FileRead } from '../sources/file/assembly.ts'
import type { LocatedFinding } from '../sources/source.ts'

/** What is kept from pass to pass, so that what did not change is neither found nor located again. */
export interface FindingMemory {
  /** The Router that serves a Gateway's configuration, where there is one. */
  readonly routerOf: (gateway: string) => Router | undefined
  readonly routed: WeakMap<Router, readonly Finding[]>
  readonly located: WeakMap<Finding, LocatedFinding>
  /** What tells a finding from others. */
  readonly keys: WeakMap<LocatedFinding, string>
  readonly tables: TableShadows
}

export function allFindings(
  read: FileRead,
  translated: readonly Finding[],
  configs: readonly GatewayConfig[],
  memory: FindingMemory = findingMemory(() => undefined),
): LocatedFinding[] {
  const refused = refusedObjects(read)
  const found = [...read.findings, ...translated.map((finding) => locate(read, sayRefused(finding, refused), memory))]
  for (const config of configs) {
    const router = memory.routerOf(config.gateway) ?? compile(config)
    const known = memory.routed.get(router) ?? routingFindings(router, memory.tables)
    memory.routed.set(router, known)
    found.push(...known.map((finding) => locate(read, finding, memory)))
  }
  return unique(found, memory)
}

export function findingMemory(routerOf: FindingMemory['routerOf']): FindingMemory {
  return { routerOf, routed: new WeakMap(), located: new WeakMap(), keys: new WeakMap(), tables: new WeakMap() }
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

function locate(read: FileRead, finding: Finding, { located }: FindingMemory): LocatedFinding {
  const at = finding.object === undefined ? undefined : read.locate(finding.object, finding.path)
  if (at === undefined) return finding
  const before = located.get(finding)
  if (before?.at === at) return before
  const made = { ...finding, at }
  located.set(finding, made)
  return made
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
function unique(findings: readonly LocatedFinding[], { keys }: FindingMemory): LocatedFinding[] {
  const seen = new Set<string>()
  return findings.filter((finding) => {
    const key = keys.get(finding) ?? keyOf(finding)
    keys.set(finding, key)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

function keyOf({ code, object, path, message, at }: LocatedFinding): string {
  return JSON.stringify([code, object, path, message, object === undefined ? at : undefined])
}
