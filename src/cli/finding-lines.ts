/** Findings as lines for a person; those of one cause are one entry. */
import type { LocatedFinding } from '../sources/source.ts'
import type { Style } from './style.ts'

/** Below the severity and its space. */
const indent = ' '.repeat(9)
const shownUses = 5

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

/** `place` stands before the message where it is not said above. */
export function findingLines({ severity, code, object, message, uses = [], fix }: LocatedFinding, place: string, style: Style): string[] {
  const name = object === undefined ? '' : `${object.kind} ${object.namespace === '' ? '' : `${object.namespace}/`}${object.name}: `
  const [first = '', ...more] = `${place}${style.dim(`${code}:`)} ${name}${message}`.split('\n')
  const also = uses.slice(0, shownUses).map(({ file, line }) => `${file}:${line}`)
  if (uses.length > shownUses) also.push(`${uses.length - shownUses} more`)
  const fixText = fix === undefined ? [] : ('text' in fix ? fix.text : `add:\n${fix.yaml}`).trimEnd().split('\n')
  return [
    `${severityWord(severity, style)}  ${first}`,
    ...more.map((line) => indent + line),
    ...(also.length === 0 ? [] : [`${indent}also: ${also.join(', ')}`]),
    ...fixText.map((line, i) => `${indent}${i === 0 ? '-> ' : '   '}${line}`),
  ]
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
