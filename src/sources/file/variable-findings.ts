/** One finding for each variable that nobody gives a value, with the places that use it. */
import type { LocatedFinding, Location } from '../source.ts'
import type { FileReading, Locator } from './file-reading.ts'
import { listSome } from './list-some.ts'

export function variableFindings(readings: readonly FileReading[], locator: Locator, isRenamed: boolean): LocatedFinding[] {
  const uses = new Map<string, Location[]>()
  for (const { file, documents } of readings) {
    if (!file.hasVariables) continue
    for (const { document, substituted, objects } of documents) {
      for (const { within, unknownVariables } of objects) {
        for (const { name, path } of unknownVariables) {
          const places = uses.get(name) ?? []
          places.push(locator.locate({ file, document, substituted, within }, path))
          uses.set(name, places)
        }
      }
    }
  }
  return [...uses.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, places]) => ({
      code: 'unknown-variable',
      severity: 'warning',
      message: `Nothing gives \${${name}} a value (used at ${listSome(places.map(({ file, line }) => `${file}:${line}`))})${isRenamed ? `; hostnames with it are served under .localhost` : ''}`,
      fix: { text: `--set ${name}=value` },
      cause: `variable:${name}`,
      ...(places[0] && { at: places[0] }),
      uses: places,
    }))
}
