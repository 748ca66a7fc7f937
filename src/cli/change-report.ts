/** What `run` shows when something changed: the objects that were edited or judged anew, findings that came and went. */
import { difference } from '../sources/difference.ts'
import type { LocatedFinding } from '../sources/source.ts'
import type { StatusOf, Translation } from '../translate/translation.ts'
import { located } from './finding-lines.ts'
import { refusals, routeVerdict, verdict } from './run-report.ts'
import type { View } from './serving.ts'
import type { Style } from './style.ts'

/** Lines of one change. */
const mostLines = 60

/** '' when a person would see no difference. */
export function changeReport(before: View, after: View, style: Style): string {
  const lines = [
    ...judged(before, after).flatMap((status) => changeLines(status, after, style)),
    ...removedObjects(before.here, after.here).map((name) => `  ${name}: gone`),
    ...located(newFindings(before, after), style),
    ...mendedFindings(before, after)
      .filter(({ severity }) => severity !== 'note')
      .map((finding) => `  ${style.green('mended ')}  ${finding.message.split('\n')[0] ?? ''}`),
    ...after.kindnesses.filter(({ text }) => !before.kindnesses.some((other) => other.text === text)).map(({ text }) => `  ${text}`),
  ]
  if (lines.length > mostLines) lines.splice(mostLines, lines.length, `  ... and ${lines.length - mostLines} more lines`)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** Statuses of objects that were edited, and those that read differently now. */
function judged(before: View, after: View): StatusOf[] {
  const edited = new Set(
    difference(before.read.objects, after.read.objects).set.map(({ kind, metadata }) => `${kind}/${metadata.namespace}/${metadata.name}`),
  )
  const known = new Map(before.here.statuses.map((status) => [keyOf(status), status]))
  return after.here.statuses.filter((status) => {
    const previous = known.get(keyOf(status))
    if (edited.has(keyOf(status)) || previous === undefined) return true
    return previous !== status && conditionsText(previous) !== conditionsText(status)
  })
}

/** Everything about a status that a person reads; a generation or a count alone is no news. */
function conditionsText({ status }: StatusOf): string {
  return JSON.stringify(status, (key, value: unknown) => (key === 'observedGeneration' || key === 'attachedRoutes' ? undefined : value))
}

export function changedStatuses(before: Translation, after: Translation): StatusOf[] {
  const known = new Set(before.statuses)
  return after.statuses.filter((status) => !known.has(status))
}

/** Objects whose status was there before: `Kind/namespace/name`. */
export function removedObjects(before: Translation, after: Translation): string[] {
  const left = new Set(after.statuses.map(keyOf))
  return before.statuses.map(keyOf).filter((name) => !left.has(name))
}

export function newFindings(before: View, after: View): LocatedFinding[] {
  const known = new Set(before.findings.map(findingKey))
  return after.findings.filter((finding) => !known.has(findingKey(finding)))
}

export function mendedFindings(before: View, after: View): LocatedFinding[] {
  const left = new Set(after.findings.map(findingKey))
  return before.findings.filter((finding) => !left.has(findingKey(finding)))
}

function findingKey({ code, object, path, message }: LocatedFinding): string {
  return JSON.stringify([code, object, path, message])
}

function keyOf({ kind, namespace, name }: StatusOf): string {
  return `${kind}/${namespace}/${name}`
}

/** A refusal says it all; what is not refused is one line. */
function changeLines(status: StatusOf, view: View, style: Style): string[] {
  const refused = refusals([status], style)
  return refused.length > 0 ? refused : [statusLine(status, view, style)]
}

function statusLine(status: StatusOf, view: View, style: Style): string {
  const name = `${status.kind} ${status.namespace === '' ? '' : `${status.namespace}/`}${status.name}`
  if ('parents' in status.status) {
    return `  ${name}: ${status.status.parents.map(({ conditions = [] }) => routeVerdict(view, status, conditions, style)).join('; ')}`
  }
  return `  ${name}: ${verdict('conditions' in status.status ? status.status.conditions : [], style)}`
}
