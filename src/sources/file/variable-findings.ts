/** One finding for each variable that nobody gives a value, with the places that use it. */
import type { LocatedFinding, Location } from '../source.ts'
import type { FileReading, Locator } from './file-reading.ts'

interface Uses {
  readonly places: Location[]
  /** Objects that are refused as long as the variable is unknown. */
  refused: number
}

export function variableFindings(readings: readonly FileReading[], locator: Locator, isRenamed: boolean): LocatedFinding[] {
  const uses = new Map<string, Uses>()
  for (const { file, documents } of readings) {
    if (!file.hasVariables) continue
    for (const { document, substituted, objects } of documents) {
      for (const { within, unknownVariables, object } of objects) {
        for (const { name, path } of unknownVariables) {
          const found = uses.get(name) ?? { places: [], refused: 0 }
          found.places.push(locator.locate({ file, document, substituted, within }, path))
          if (!object) found.refused += 1
          uses.set(name, found)
        }
      }
    }
  }
  return [...uses.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, found]) => variableFinding(name, found, isRenamed))
}

function variableFinding(name: string, { places, refused }: Uses, isRenamed: boolean): LocatedFinding {
  const [at, ...others] = places
  const renamed = isRenamed ? '; hostnames with it are served under .localhost' : ''
  const lost = refused === 0 ? '' : `; ${refused === 1 ? 'an object' : `${refused} objects`} with it cannot be read`
  return {
    code: 'unknown-variable',
    severity: 'warning',
    message: `Nothing gives \${${name}} a value (used in ${places.length} ${places.length === 1 ? 'place' : 'places'})${renamed}${lost}`,
    fix: { text: `--set ${name}=value` },
    cause: `variable:${name}`,
    ...(at && { at }),
    ...(others.length > 0 && { uses: others }),
  }
}
