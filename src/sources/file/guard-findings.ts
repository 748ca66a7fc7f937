/** The loud warning: a policy that somebody trusts to keep requests out does nothing here. */
import type { ApiObject } from '../../api/object.ts'
import type { LocatedFinding } from '../source.ts'
import { startOf } from './file-reading.ts'
import type { FileReading } from './file-reading.ts'
import { isGuard, readGuard } from './guards.ts'
import { listSome } from './list-some.ts'
import type { Manifest } from './manifest.ts'
import { nameOf, ownNamespaceOf } from './manifest.ts'

export function guardFindings(readings: readonly FileReading[], objects: readonly ApiObject[]): LocatedFinding[] {
  return readings
    .filter(({ others }) => others.length > 0)
    .flatMap(({ file, others, namespace }) =>
      others
        .filter(({ manifest }) => isGuard(manifest))
        .flatMap(({ manifest, document }) => {
          const finding = guardFinding(manifest, ownNamespaceOf(manifest) ?? namespace, objects)
          return finding ? { ...finding, at: startOf(file, document) } : []
        }),
    )
}

function guardFinding(manifest: Manifest, namespace: string, objects: readonly ApiObject[]): LocatedFinding | undefined {
  const guard = readGuard(manifest, namespace)
  const targets = guard?.targets ?? routesThatName(manifest, namespace, objects)
  if (!guard || targets.length === 0) return undefined
  const does = guard.does.length === 0 ? '' : ` (${guard.does.join(', ')})`
  return {
    code: 'guard-not-enforced',
    severity: 'warning',
    object: { kind: manifest.kind, namespace, name: nameOf(manifest) },
    message: `this policy of ${guard.product}${does} is NOT enforced here; it would guard ${listSome(targets)}`,
  }
}

/** Routes that take a policy by an ExtensionRef filter, or by the annotation that Kong reads. */
function routesThatName(manifest: Manifest, namespace: string, objects: readonly ApiObject[]): string[] {
  const name = nameOf(manifest)
  return objects
    .filter((object) => object.metadata.namespace === namespace)
    .filter((object) => {
      const plugins = object.metadata.annotations['konghq.com/plugins']?.split(',').map((plugin) => plugin.trim())
      if (manifest.kind === 'KongPlugin' && plugins?.includes(name)) return true
      if (object.kind !== 'HTTPRoute' && object.kind !== 'GRPCRoute') return false
      const filters = object.spec.rules.flatMap((rule) => [...rule.filters, ...rule.backendRefs.flatMap((backend) => backend.filters)])
      return filters.some(
        (filter) => filter.type === 'ExtensionRef' && filter.extensionRef.kind === manifest.kind && filter.extensionRef.name === name,
      )
    })
    .map((object) => `${object.kind} ${namespace}/${object.metadata.name}`)
}
