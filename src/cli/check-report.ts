/** Findings for a person: grouped by file, those of one cause as one entry, with what to do. */
import type { FileRead } from '../sources/file/assembly.ts'
import type { LocatedFinding } from '../sources/source.ts'
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
  lines.push(`${objects.length} objects in ${files.length} ${files.length === 1 ? 'file' : 'files'}${listed}`)
  lines.push(summary(findings, style))
  return `${lines.join('\n')}\n`
}

/** One finding for each cause, naming the places of all. */
export function byCause(findings: readonly LocatedFinding[]): LocatedFinding[] {
  const groups = new Map<string, LocatedFinding[]>()
  for (const finding of findings) {
    const key = finding.cause ?? `${groups.size}`
    groups.set(key, [...(groups.get(key) ?? []), finding])
  }
  return [...groups.values()].flatMap((group) => {
    const [first, ...rest] = group
    if (first === undefined || rest.length === 0) return group
    const uses = [...(first.uses ?? []), ...rest.flatMap(({ at, uses: more }) => [...(at === undefined ? [] : [at]), ...(more ?? [])])]
    return [{ ...first, uses }]
  })
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
  const { at, severity, code, object, message, uses = [], fix } = finding
  const place = at === undefined ? '' : `${at.line}:${at.column}`.padEnd(7)
  const name = object === undefined ? '' : `${object.kind} ${object.namespace === '' ? '' : `${object.namespace}/`}${object.name}: `
  const [first = '', ...more] = `${name}${message}`.split('\n')
  const lines = [
    `  ${style.dim(place)}${severityWord(severity, style)}  ${first}  ${style.dim(code)}`,
    ...more.map((line) => `           ${line}`),
  ]
  if (uses.length > 0) {
    const shown = uses.slice(0, 5).map(({ file, line }) => `${file}:${line}`)
    lines.push(`           also: ${shown.join(', ')}${uses.length > 5 ? ` and ${uses.length - 5} more` : ''}`)
  }
  if (fix !== undefined) lines.push(...fixLines('text' in fix ? fix.text : `add:\n${fix.yaml}`))
  return lines
}

function fixLines(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line, i) => `           ${i === 0 ? '-> ' : '   '}${line}`)
}

function severityWord(severity: LocatedFinding['severity'], style: Style): string {
  switch (severity) {
    case 'error':
      return style.red('error  ')
    case 'warning':
      return style.yellow('warning')
    case 'note':
      return style.dim('note   ')
  }
}

function summary(findings: readonly LocatedFinding[], style: Style): string {
  const count = (severity: LocatedFinding['severity']): number => findings.filter((finding) => finding.severity === severity).length
  const [errors, warnings] = [count('error'), count('warning')]
  if (errors + warnings === 0) return style.green('no problems found')
  const text = `${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`
  return errors > 0 ? style.red(text) : style.yellow(text)
}
