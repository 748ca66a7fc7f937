/** The order in which a snapshot lists objects: by namespace, then by name, code unit by code unit. */
import type { ApiObject } from '../api/object.ts'

export function compareObjects(a: ApiObject, b: ApiObject): number {
  return compareText(a.metadata.namespace, b.metadata.namespace) || compareText(a.metadata.name, b.metadata.name)
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
