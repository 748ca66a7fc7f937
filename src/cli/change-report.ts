/** What `run` shows when something changed: the objects that were edited or judged anew, findings that came and went. */
import { changedSpan } from '../lib/list-change.ts'
import { difference } from '../sources/difference.ts'
import type { LocatedFinding } from '../sources/source.ts'
import type { StatusOf, Translation } from '../translate/translation.ts'
import { located } from './finding-lines.ts'
import { ancestorsVerdict, refusals, routeVerdict, verdict } from './run-report.ts'
import type { View } from './serving.ts'
import type { Style } from './style.ts'

/** Lines of one change. */
const mostLines = 60

/** '' when a person would see no difference. */
export function changeReport(before: View, after: View, style: Style): string {
  const lines = [
    ...judged(before, after).flatMap((status) => changeLines(status, after, style)),
    ...removedLines(before, after),
    ...located(newFindings(before, after), style),
    ...mendedFindings(before, after)
      .filter(({ severity }) => severity !== 'note')
      .map((finding) => `  ${style.green('mended ')}  ${finding.message.split('\n')[0] ?? ''}`),
    ...after.kindnesses.filter(({ text }) => !before.kindnesses.some((other) => other.text === text)).map(({ text }) => `  ${text}`),
  ]
  if (lines.length > mostLines) lines.splice(mostLines, lines.length, `  ... and ${lines.length - mostLines} more lines`)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** An object may stay and lose its status: a policy when its target changes, a route when its Gateway becomes another controller's. */
function removedLines(before: View, after: View): string[] {
  const removed = removedObjects(before.here, after.here)
  if (removed.length === 0) return []
  const objects = new Set(after.read.objects.map(({ kind, metadata }) => `${kind}/${metadata.namespace}/${metadata.name}`))
  return removed.map((name) => `  ${name}: ${objects.has(name) ? 'no Gateway has to do with it any more' : 'gone'}`)
}

/** Statuses of objects that were edited, and those that read differently now. */
function judged(before: View, after: View): StatusOf[] {
  const edits = difference(before.read.objects, after.read.objects).set
  const edited = new Set(edits.map(({ kind, metadata }) => `${kind}/${metadata.namespace}/${metadata.name}`))
  const { left, come } = changedBetween(before.here, after.here)
  const known = new Map(left.map((status) => [keyOf(status), status]))
  const changed = new Set(
    come.filter((status) => {
      const previous = known.get(keyOf(status))
      return previous === undefined || (previous !== status && conditionsText(previous) !== conditionsText(status))
    }),
  )
  const names = new Set(edits.map(({ metadata }) => metadata.name))
  return after.here.statuses.filter((status) => changed.has(status) || (names.has(status.name) && edited.has(keyOf(status))))
}

/** Both lists of statuses without what they have in common at the beginning and at the end. */
function changedBetween(
  before: Translation,
  after: Translation,
): { readonly left: readonly StatusOf[]; readonly come: readonly StatusOf[] } {
  const { begin, beforeEnd, afterEnd } = changedSpan(before.statuses, after.statuses)
  return { left: before.statuses.slice(begin, beforeEnd), come: after.statuses.slice(begin, afterEnd) }
}

/** Everything about a status that a person reads; a generation or a count alone is no news. */
function conditionsText({ status }: StatusOf): string {
  return JSON.stringify(status, (key, value: unknown) => (key === 'observedGeneration' || key === 'attachedRoutes' ? undefined : value))
}

export function changedStatuses(before: Translation, after: Translation): StatusOf[] {
  const { left, come } = changedBetween(before, after)
  const known = new Set(left)
  return come.filter((status) => !known.has(status))
}

/** Objects whose status was there before: `Kind/namespace/name`. */
export function removedObjects(before: Translation, after: Translation): string[] {
  const { left, come } = changedBetween(before, after)
  const still = new Set(come.map(keyOf))
  return left.map(keyOf).filter((name) => !still.has(name))
}

export function newFindings(before: View, after: View): LocatedFinding[] {
  return notAmong(before.findings, after.findings)
}

export function mendedFindings(before: View, after: View): LocatedFinding[] {
  return notAmong(after.findings, before.findings)
}

/** Those of `some` that `known` has not, even at another line. Most are the very same objects. */
function notAmong(known: readonly LocatedFinding[], some: readonly LocatedFinding[]): LocatedFinding[] {
  const { begin, beforeEnd, afterEnd } = changedSpan(known, some)
  const same = new Set(known.slice(begin, beforeEnd))
  const others = some.slice(begin, afterEnd).filter((finding) => !same.has(finding))
  if (others.length === 0) return []
  const keys = new Set(known.map(findingKey))
  return others.filter((finding) => !keys.has(findingKey(finding)))
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
  if ('ancestors' in status.status) return `  ${name}: ${ancestorsVerdict(view, status, style)}`
  return `  ${name}: ${verdict(status.status.conditions, style)}`
}
