/** What there is to say about one file alone: text that is no YAML, objects that are refused or doubtful. */
import type { LocatedFinding } from '../source.ts'
import type { Bare } from './bare.ts'
import type { FileReading, Locator, ObjectReading } from './file-reading.ts'
import { locationOf, startOf } from './file-reading.ts'
import type { SourceDocument, SourceFile } from './source-file.ts'
import { originalOffset } from './variables.ts'

export function fileFindings({ file, documents, entries }: FileReading, locator: Locator): LocatedFinding[] {
  const findings: LocatedFinding[] = []
  const current = new Set(file.documents)
  const kept = new Set(entries.filter(({ place }) => !current.has(place.document)).map(({ key }) => key))
  const mentioned = new Set(documents.flatMap(({ objects }) => objects.map(({ key }) => key)))
  for (const { document, substituted, objects, problem } of documents) {
    if (problem) {
      const at = locationOf(file, document, originalOffset(substituted, problem.offset))
      const stays = [...kept].some((key) => !mentioned.has(key)) ? '; what the file held before stays in use' : ''
      findings.push({ code: 'yaml-syntax', severity: 'error', message: `Cannot read ${file.path}: ${problem.message}${stays}`, at })
    }
    if (document.bare) findings.push(bareFinding(file, document, document.bare))
    if (document.role === 'encrypted') findings.push(encryptedFinding(file, document))
    for (const object of objects) {
      for (const issue of issuesOf(object)) {
        const at = locator.locate({ file, document, substituted, within: object.within }, issue.path)
        const stays = issue.severity === 'error' && kept.has(object.key) ? '; its last valid version stays in use' : ''
        const { severity, code, path } = issue
        findings.push({ code, severity, object: object.ref, path, message: issue.message + stays, at })
      }
    }
  }
  return findings
}

function bareFinding(file: SourceFile, document: SourceDocument, { what, offset }: Bare): LocatedFinding {
  return {
    code: 'not-a-mapping',
    severity: 'note',
    message: `a document of ${file.path} is skipped: a manifest must be a mapping, got ${what}`,
    cause: `not-a-mapping:${file.path}`,
    at: locationOf(file, document, offset),
  }
}

function encryptedFinding(file: SourceFile, document: SourceDocument): LocatedFinding {
  return {
    code: 'encrypted',
    severity: 'note',
    message: 'an object that SOPS encrypted is not read',
    fix: { text: `sops --decrypt ${file.path} | gatewright run -` },
    cause: 'encrypted',
    at: startOf(file, document),
  }
}

/** An unknown variable has a finding of its own; what it makes of the value that holds it needs no second one. */
function issuesOf({ issues, unknownVariables }: ObjectReading): ObjectReading['issues'] {
  if (unknownVariables.length === 0) return issues
  const held = new Set(unknownVariables.map(({ path }) => JSON.stringify(path)))
  return issues.filter(({ path }) => !held.has(JSON.stringify(path)))
}
