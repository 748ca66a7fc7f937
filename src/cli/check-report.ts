/** Findings for a person: grouped by file, those of one cause as one entry, with what to do. */
import type { FileRead } from '../sources/file/assembly.ts'
import type { LocatedFinding } from '../sources/source.ts'
import { byCause, findingLines } from './finding-lines.ts'
import type { Style } from './style.ts'

const elsewhere = 'in general'

export function checkReport(findings: readonly LocatedFinding[], read: FileRead, style: Style): string {
  const lines: string[] = []
  for (const [file, group] of byFile(byCause(findings))) {
    lines.push(style.bold(file))
    for (const one of group) lines.push(...entry(one, style))
    lines.push('')
  }
  const { objects, files, foreign } = read
  const others = foreign.reduce((sum, { count }) => sum + count, 0)
  const listed =
    others === 0 ? '' : `, ${others} of kinds that are not served (${foreign.map(({ kind, count }) => `${count} ${kind}`).join(', ')})`
  const where = files.length === 0 ? 'of the cluster' : `in ${files.length} ${files.length === 1 ? 'file' : 'files'}`
  lines.push(`${objects.length} objects ${where}${listed}`)
  lines.push(summary(byCause(findings), style))
  return `${lines.join('\n')}\n`
}

function byFile(findings: readonly LocatedFinding[]): Map<string, LocatedFinding[]> {
  const files = new Map<string, LocatedFinding[]>()
  for (const finding of findings) {
    const file = finding.at?.file ?? elsewhere
    files.set(file, [...(files.get(file) ?? []), finding])
  }
  for (const group of files.values())
    group.sort((a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0))
  return new Map([...files].sort(([a], [b]) => Number(a === elsewhere) - Number(b === elsewhere) || (a < b ? -1 : 1)))
}

function entry(finding: LocatedFinding, style: Style): string[] {
  const place = finding.at === undefined ? '' : `${finding.at.line}:${finding.at.column} `
  return findingLines(finding, style.dim(place), style).map((line) => `  ${line}`)
}

function summary(findings: readonly LocatedFinding[], style: Style): string {
  const count = (severity: LocatedFinding['severity']): number => findings.filter((finding) => finding.severity === severity).length
  const [errors, warnings] = [count('error'), count('warning')]
  if (errors + warnings === 0) return style.green('no problems found')
  const text = `${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`
  return errors > 0 ? style.red(text) : style.yellow(text)
}
