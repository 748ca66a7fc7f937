/**
 * Which of two equal objects comes first: the older one, then the first in alphabetical order of `namespace/name`
 * (Gateway API v1, Listener.allowedRoutes and HTTPRouteRule.matches). Objects without a creationTimestamp count as equally old.
 */
import type { ObjectMeta } from '../api/meta.ts'

export interface Rank {
  /** Milliseconds since 1970; Infinity where the object does not say. */
  readonly created: number
  readonly path: string
  /** Only so that no two objects are equal. */
  readonly kind: string
}

export function rankOf({ kind, metadata }: { readonly kind: string; readonly metadata: ObjectMeta }): Rank {
  const { creationTimestamp, namespace, name } = metadata
  const created = creationTimestamp === undefined ? Number.NaN : Date.parse(creationTimestamp)
  return { created: Number.isNaN(created) ? Infinity : created, path: `${namespace}/${name}`, kind }
}

export function compareRank(a: Rank, b: Rank): number {
  if (a.created !== b.created) return a.created < b.created ? -1 : 1
  if (a.path !== b.path) return a.path < b.path ? -1 : 1
  return a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0
}
