import type { LocatedFinding } from '../source.ts'
import type { Entry, Locator } from './file-reading.ts'

/** Two definitions of one object: which one is served is nothing to guess about. */
export function duplicateFinding(first: Entry, second: Entry, locator: Locator): LocatedFinding {
  const { kind, metadata } = first.object
  const where = locator.locate(first.place, ['metadata', 'name'])
  return {
    code: 'defined-twice',
    severity: 'warning',
    object: { kind, namespace: metadata.namespace, name: metadata.name },
    message: `defined twice; the first definition wins (${where.file}:${where.line})`,
    at: locator.locate(second.place, ['metadata', 'name']),
    cause: `defined-twice:${first.place.file.path}:${second.place.file.path}`,
  }
}
