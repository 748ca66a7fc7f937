/** What `run` shows a person: a table at the start, then what changed. */
import type { Condition } from '../api/meta.ts'
import type { StatusOf, Translation } from '../translate/translation.ts'
import type { LocatedFinding } from '../sources/source.ts'
import { trustHints } from '../standalone/trust.ts'
import { columns } from './columns.ts'
import { firstBad, isBad } from './condition.ts'
import { curlLines } from './curl-lines.ts'
import { byCause, findingLines } from './finding-lines.ts'
import { routeHostnames, routeOf } from './refused-routes.ts'
import type { View } from './serving.ts'
import type { Style } from './style.ts'

export interface RunSurroundings {
  readonly caCertificate: string | undefined
  readonly admin: string
  readonly platform: string
}

export function startReport(view: View, { caCertificate, admin, platform }: RunSurroundings, style: Style): string {
  const lines: string[] = []
  const section = (title: string, body: readonly string[]): void => {
    if (body.length > 0) lines.push(style.bold(title), ...body, '')
  }
  section('Gateways', columns(gatewayRows(view, style), '  '))
  section('Routes', columns(routeRows(view, style), '  '))
  section('Refused', refusals(view.here.statuses, style))
  section('Ports that could not be opened', failedPorts(view))
  section(
    'Kindnesses of this machine (a cluster has none of them; --strict switches them off)',
    view.kindnesses.map(({ text }) => `  ${text}`),
  )
  section('Findings', located(view.findings, style))
  section(
    'Try',
    curlLines(view, caCertificate).map(({ line }) => `  ${line}`),
  )
  if (caCertificate !== undefined) {
    section(
      'Trust the development certificates',
      columns(
        trustHints(caCertificate, platform).map(({ client, command }) => [client, command]),
        '  ',
      ),
    )
  }
  lines.push(`${style.dim('health, metrics and configuration:')} ${admin}`)
  return `${lines.join('\n')}\n`
}

/** What differs between two views, a line for each; '' when a person would see no difference. */
export function changeReport(before: View, after: View, style: Style): string {
  const lines = [
    ...changedStatuses(before.here, after.here).flatMap((status) => changeLines(status, after, style)),
    ...located(newFindings(before, after), style),
    ...mendedFindings(before, after)
      .filter(({ severity }) => severity !== 'note')
      .map((finding) => `  ${style.green('mended ')}  ${finding.message.split('\n')[0] ?? ''}`),
    ...after.kindnesses.filter(({ text }) => !before.kindnesses.some((other) => other.text === text)).map(({ text }) => `  ${text}`),
  ]
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

export function changedStatuses(before: Translation, after: Translation): StatusOf[] {
  const known = new Set(before.statuses)
  return after.statuses.filter((status) => !known.has(status))
}

/** Objects whose status was there before: `Kind/namespace/name`. */
export function removedObjects(before: Translation, after: Translation): string[] {
  const key = ({ kind, namespace, name }: StatusOf): string => `${kind}/${namespace}/${name}`
  const left = new Set(after.statuses.map(key))
  return before.statuses.map(key).filter((name) => !left.has(name))
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

function gatewayRows(view: View, style: Style): string[][] {
  const rows: string[][] = []
  for (const status of view.here.statuses) {
    if (status.kind !== 'Gateway' || !('listeners' in status.status)) continue
    const name = `${status.namespace}/${status.name}`
    const strict = clusterStatus(view, status)
    const clusterListeners = strict !== undefined && 'listeners' in strict.status ? strict.status.listeners : []
    rows.push([style.bold(name), '', '', '', verdict(status.status.conditions, style)])
    const config = view.here.configs.find(({ gateway }) => gateway === name)
    for (const { name: listener, attachedRoutes, conditions } of status.status.listeners) {
      const served = config?.listeners.find(({ key }) => key === `Gateway/${name}/${listener}`)
      const open = view.served.get(name)?.ports.find(({ port }) => port === served?.port)
      rows.push([
        `  ${listener}`,
        served === undefined ? '' : `${served.protocol} ${served.port}`,
        open === undefined ? 'not open' : `-> ${placeText(open)}`,
        `${served?.hostname || '*'}, ${attachedRoutes} ${attachedRoutes === 1 ? 'route' : 'routes'}`,
        bothVerdicts(conditions, clusterListeners.find((one) => one.name === listener)?.conditions ?? [], style),
      ])
    }
  }
  return rows
}

function placeText({ address, listenPort }: { readonly address: string; readonly listenPort: number }): string {
  return `${address.includes(':') ? `[${address}]` : address}:${listenPort}`
}

function routeRows(view: View, style: Style): string[][] {
  return view.here.statuses.flatMap((status) => {
    if (!('parents' in status.status)) return []
    const hostnames = routeHostnames(routeOf(view.read.objects, status))
    return status.status.parents.map((parent) => [
      `${status.kind} ${style.bold(`${status.namespace}/${status.name}`)}`,
      hostnames.join(', ') || '*',
      `on ${parent.parentRef.name}${parent.parentRef.sectionName === undefined ? '' : `/${parent.parentRef.sectionName}`}`,
      routeVerdict(view, status, parent.conditions ?? [], style),
    ])
  })
}

function routeVerdict(view: View, status: StatusOf, conditions: readonly Condition[], style: Style): string {
  const strict = clusterStatus(view, status)
  const parents = strict !== undefined && 'parents' in strict.status ? strict.status.parents : []
  return bothVerdicts(
    conditions,
    parents.flatMap((parent) => parent.conditions ?? []),
    style,
  )
}

/** What a cluster would write for the same object. */
function clusterStatus(view: View, { kind, namespace, name }: StatusOf): StatusOf | undefined {
  return view.cluster.statuses.find((other) => other.kind === kind && other.namespace === namespace && other.name === name)
}

/** The verdict of here, and a cluster's where the kindnesses make a difference. */
function bothVerdicts(here: readonly Condition[], cluster: readonly Condition[], style: Style): string {
  const bad = cluster.find(isBad)
  if (bad === undefined || bad.reason === firstBad(here)?.reason) return verdict(here, style)
  return `${verdict(here, style)} ${style.dim(`(cluster: ${bad.type} ${bad.status} ${bad.reason})`)}`
}

function verdict(conditions: readonly Condition[], style: Style): string {
  const bad = firstBad(conditions)
  return bad === undefined ? style.green('ok') : style.red(`${bad.type} ${bad.status} ${bad.reason}`)
}

/** What is refused and what would mend it: whole messages, since they hold the YAML to add. */
function refusals(statuses: readonly StatusOf[], style: Style): string[] {
  return statuses.flatMap((status) => {
    const name = `${status.kind} ${status.namespace === '' ? '' : `${status.namespace}/`}${status.name}`
    const told = new Set<string>()
    return conditionsOf(status)
      .filter(({ condition, where }) => isBad(condition) && !told.has(where + condition.message) && told.add(where + condition.message))
      .flatMap(({ condition, where }) => {
        const title = `  ${style.bold(name)}${where}: ${style.red(`${condition.type} ${condition.status} ${condition.reason}`)}`
        return [title, ...condition.message.split('\n').map((line) => `    ${line}`)]
      })
  })
}

/** The Gateway's own conditions only repeat those of its listeners, where it has some that are bad. */
function conditionsOf({ status }: StatusOf): { condition: Condition; where: string }[] {
  if ('parents' in status) return status.parents.flatMap(({ conditions = [] }) => conditions.map((condition) => ({ condition, where: '' })))
  const listeners = 'listeners' in status ? status.listeners : []
  const ofListeners = listeners.flatMap(({ name, conditions }) =>
    conditions.map((condition) => ({ condition, where: ` listener ${name}` })),
  )
  if (ofListeners.some(({ condition }) => isBad(condition))) return ofListeners
  return 'conditions' in status ? status.conditions.map((condition) => ({ condition, where: '' })) : []
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

function failedPorts(view: View): string[] {
  return [...view.served].flatMap(([gateway, { failedPorts: failed }]) =>
    failed.map(
      ({ port, message }) =>
        `  ${gateway}: ${message}. Free it, or serve port ${port} elsewhere with --port ${port}=LOCAL; it is tried again every second.`,
    ),
  )
}

function located(findings: readonly LocatedFinding[], style: Style): string[] {
  return byCause(findings).flatMap((finding) => {
    const { at } = finding
    const place = at === undefined ? '' : `${at.file}:${at.line}:${at.column}: `
    return findingLines(finding, place, style).map((line) => `  ${line}`)
  })
}
