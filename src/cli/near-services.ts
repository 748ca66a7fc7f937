/**
 * For a Service that no file defines the one whose name is nearly the same: most likely a slip of the pen.
 *
 * It stays a warning. A cluster that held exactly this folder would set ResolvedRefs to False; but nothing in the folder
 * says that it is all of the cluster, and `shop-v1` beside a `shop-v2` of somebody else's is no mistake. Who checks a
 * whole cluster says so with `--fail-on warning`.
 */
import type { Service } from '../api/core.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { nearest } from '../lib/nearest.ts'
import type { FileRead } from '../sources/file/assembly.ts'
import type { LocatedFinding } from '../sources/source.ts'

/** Where more are missing, Services are kept elsewhere: no name is compared then. */
const mostMissing = 100

export function withNearServices(findings: readonly LocatedFinding[], snapshot: Snapshot, read: FileRead): LocatedFinding[] {
  const services = snapshot.all('Service')
  const missing = new Set(findings.flatMap((finding) => missingService(finding) ?? []))
  const fixes = new Map<string, string>()
  for (const path of missing.size > mostMissing ? [] : missing) {
    const near = nearService(path, services)
    if (near !== undefined) fixes.set(path, fixText(path, near, read))
  }
  return findings.map((finding) => {
    const text = fixes.get(missingService(finding) ?? '')
    if (text === undefined) return finding
    const { fix } = finding
    return { ...finding, fix: { text: fix !== undefined && 'text' in fix ? `${text}\n${fix.text}` : text } }
  })
}

/** `namespace/name` */
function missingService({ code, cause = '' }: LocatedFinding): string | undefined {
  const isMissing = code === 'service-not-defined' || code === 'policy-target-not-defined'
  return isMissing && cause.startsWith('Service/') ? cause.slice('Service/'.length) : undefined
}

/** Of the same namespace if possible. None where the name stands in another namespace: then that is what is wrong, or it is another's. */
function nearService(path: string, services: readonly Service[]): Service | undefined {
  const [namespace = '', name = ''] = path.split('/')
  if (services.some(({ metadata }) => metadata.name === name)) return undefined
  const own = services.filter(({ metadata }) => metadata.namespace === namespace)
  return nearestOf(name, own) ?? nearestOf(name, services)
}

function nearestOf(name: string, services: readonly Service[]): Service | undefined {
  const near = nearest(
    name,
    services.map(({ metadata }) => metadata.name),
  )
  return services.find(({ metadata }) => metadata.name === near)
}

function fixText(path: string, { kind, metadata: { namespace, name } }: Service, read: FileRead): string {
  const at = read.locate({ kind, namespace, name }, ['metadata', 'name'])
  const place = at === undefined ? '' : ` (${at.file}:${at.line})`
  return `Did you mean ${path.startsWith(`${namespace}/`) ? name : `${namespace}/${name}`}?${place}`
}
