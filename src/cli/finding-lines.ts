/** Findings as lines for a person; those of one cause are one entry. */
import type { ObjectRef } from '../api/meta.ts'
import type { LocatedFinding } from '../sources/source.ts'
import type { Style } from './style.ts'

/** Below the severity and its space. */
const indent = ' '.repeat(9)
const shownOthers = 30

export interface CauseEntry extends LocatedFinding {
  /** The other objects that the same thing is wrong with. */
  readonly also?: readonly string[]
}

/** One finding for each cause, naming the places of all. */
export function byCause(findings: readonly LocatedFinding[]): CauseEntry[] {
  const groups = new Map<string, LocatedFinding[]>()
  for (const finding of findings) {
    const key = finding.cause ?? `${groups.size}`
    groups.set(key, [...(groups.get(key) ?? []), finding])
  }
  return [...groups.values()].flatMap((group): CauseEntry[] => {
    const [first, ...rest] = group
    if (first === undefined || rest.length === 0) return group
    const uses = [...(first.uses ?? []), ...rest.flatMap(({ at, uses: more }) => [...(at === undefined ? [] : [at]), ...(more ?? [])])]
    return [{ ...first, uses, also: rest.flatMap(({ object }) => (object === undefined ? [] : [objectName(object)])) }]
  })
}

/** `place` stands before the message where it is not said above. */
export function findingLines(entry: CauseEntry, place: string, style: Style): string[] {
  const { severity, code, object, message, fix } = entry
  const name = object === undefined ? '' : `${objectName(object)}: `
  const [first = '', ...more] = `${place}${style.dim(`${code}:`)} ${name}${message}`.split('\n')
  const also = alsoOf(entry)
  const fixText = fix === undefined ? [] : ('text' in fix ? fix.text : `add:\n${fix.yaml}`).trimEnd().split('\n')
  return [
    `${severityWord(severity, style)}  ${first}`,
    ...more.map((line) => indent + line),
    ...(also.length === 0 ? [] : [`${indent}also: ${also.join(', ')}`]),
    ...fixText.map((line, i) => `${indent}${i === 0 ? '-> ' : '   '}${line}`),
  ]
}

/** The objects of the same cause by name, where it is about objects; else the places. */
function alsoOf({ also = [], uses = [] }: CauseEntry): string[] {
  const named = also.length > 0 ? also : uses.map(({ file, line }) => `${file}:${line}`)
  return named.length <= shownOthers ? [...named] : [...named.slice(0, shownOthers), `${named.length - shownOthers} more`]
}

function objectName({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`
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

/** Whole findings with the place of each in front. */
export function located(findings: readonly LocatedFinding[], style: Style): string[] {
  return byCause(findings).flatMap((finding) => {
    const { at } = finding
    const place = at === undefined ? '' : `${at.file}:${at.line}:${at.column}: `
    return findingLines(finding, place, style).map((line) => `  ${line}`)
  })
}
