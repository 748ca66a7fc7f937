/** Kinds that are listed and not served, and what to say of those that share a name with ours. */
import type { LocatedFinding } from '../source.ts'
import type { FileReading } from './file-reading.ts'
import { listSome } from './list-some.ts'
import { groupOf } from './manifest.ts'
import { isNamedLikeOurs } from './role.ts'

export interface ForeignKind {
  readonly apiVersion: string
  readonly kind: string
  readonly count: number
  readonly files: readonly string[]
  /** Set for a kind that a person may take for one of ours. */
  readonly hint?: string
}

const HINTS: ReadonlyMap<string, string> = new Map([
  ['networking.istio.io/Gateway', "this is Istio's own Gateway, not the Gateway API's (gateway.networking.k8s.io/v1)"],
  ['networking.x-k8s.io/Gateway', "this group was the Gateway API's before v1alpha2; the group is gateway.networking.k8s.io now"],
  ['networking.x-k8s.io/HTTPRoute', "this group was the Gateway API's before v1alpha2; the group is gateway.networking.k8s.io now"],
  ['policy.linkerd.io/HTTPRoute', "this is Linkerd's own HTTPRoute for traffic inside its mesh, not the Gateway API's"],
  ['serving.knative.dev/Service', "this is Knative's Service; a route needs the Service of Kubernetes (apiVersion v1) as backend"],
  ['gateway.networking.x-k8s.io/XMesh', 'a service mesh is asked for, which this is not'],
  ['gateway.networking.x-k8s.io/XListenerSet', 'the experimental XListenerSet became ListenerSet of gateway.networking.k8s.io/v1'],
])

export function hintFor(apiVersion: string, kind: string): string | undefined {
  const group = groupOf(apiVersion)
  const known = HINTS.get(`${group}/${kind}`)
  if (known !== undefined) return known
  return isNamedLikeOurs(kind) ? `this is the ${kind} of ${apiVersion}, not the Gateway API's` : undefined
}

/** Sorted by kind. */
export function foreignKinds(readings: readonly FileReading[]): ForeignKind[] {
  const found = new Map<string, { apiVersion: string; kind: string; count: number; files: Set<string> }>()
  for (const { file, others } of readings) {
    for (const { manifest } of others) {
      const { apiVersion, kind } = manifest
      // A build file, no object of a cluster.
      if (groupOf(apiVersion) === 'kustomize.config.k8s.io') continue
      const key = `${kind} ${apiVersion}`
      const entry = found.get(key) ?? { apiVersion, kind, count: 0, files: new Set() }
      entry.count += 1
      entry.files.add(file.path)
      found.set(key, entry)
    }
  }
  return [...found.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { apiVersion, kind, count, files }]) => {
      const hint = hintFor(apiVersion, kind)
      return { apiVersion, kind, count, files: [...files], ...(hint !== undefined && { hint }) }
    })
}

export function foreignFindings(foreign: readonly ForeignKind[]): LocatedFinding[] {
  return foreign
    .filter(({ hint }) => hint !== undefined)
    .map(({ apiVersion, kind, count, files, hint }) => ({
      code: 'foreign-kind',
      severity: 'note',
      message: `${count} ${kind} of ${apiVersion} ${count === 1 ? 'is' : 'are'} not served (${listSome(files)}): ${hint}`,
      cause: `foreign:${apiVersion}/${kind}`,
    }))
}
