/** What `run` shows a person: a table at the start, then what changed. */
import type { Condition } from '../api/meta.ts'
import type { HttpRoute } from '../api/route.ts'
import type { StatusOf, Translation } from '../translate/translation.ts'
import type { LocatedFinding } from '../sources/source.ts'
import { trustHints } from '../standalone/trust.ts'
import { byCause } from './check-report.ts'
import { columns } from './columns.ts'
import { curlLines } from './curl-lines.ts'
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
  section(
    'Kindnesses of this machine (a cluster has none of them; --strict switches them off)',
    view.kindnesses.map(({ text }) => `  ${text}`),
  )
  section('Findings', findingLines(view.findings, style))
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
    ...changedStatuses(before.here, after.here).map((status) => statusLine(status, after, style)),
    ...newFindings(before, after).flatMap((finding) => findingLines([finding], style)),
    ...mendedFindings(before, after).map((finding) => `  ${style.green('mended ')}  ${finding.message.split('\n')[0] ?? ''}`),
    ...after.kindnesses.filter(({ text }) => !before.kindnesses.some((other) => other.text === text)).map(({ text }) => `  ${text}`),
  ]
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

export function changedStatuses(before: Translation, after: Translation): StatusOf[] {
  const known = new Set(before.statuses)
  return after.statuses.filter((status) => !known.has(status))
}

export function newFindings(before: View, after: View): LocatedFinding[] {
  const known = new Set(before.findings.map(findingKey))
  return after.findings.filter((finding) => !known.has(findingKey(finding)))
}

function mendedFindings(before: View, after: View): LocatedFinding[] {
  const left = new Set(after.findings.map(findingKey))
  return before.findings.filter((finding) => finding.severity === 'error' && !left.has(findingKey(finding)))
}

function findingKey({ code, object, path, message }: LocatedFinding): string {
  return JSON.stringify([code, object, path, message])
}

function gatewayRows(view: View, style: Style): string[][] {
  const rows: string[][] = []
  for (const status of view.here.statuses) {
    if (status.kind !== 'Gateway' || !('listeners' in status.status)) continue
    const name = `${status.namespace}/${status.name}`
    rows.push([style.bold(name), '', '', '', verdict(status.status.conditions, ['Accepted', 'Programmed'], style)])
    for (const listener of status.status.listeners) {
      const config = view.here.configs
        .find(({ gateway }) => gateway === name)
        ?.listeners.find(({ key }) => key === `Gateway/${name}/${listener.name}`)
      const open = view.served.get(name)?.ports.find(({ port }) => port === config?.port)
      rows.push([
        `  ${listener.name}`,
        config === undefined ? '' : `${config.protocol} ${config.port}`,
        open === undefined ? 'not open' : `-> ${open.address}:${open.listenPort}`,
        `${config?.hostname || '*'}, ${listener.attachedRoutes} ${listener.attachedRoutes === 1 ? 'route' : 'routes'}`,
        verdict(listener.conditions, ['Accepted', 'ResolvedRefs', 'Programmed'], style),
      ])
    }
  }
  return rows
}

function routeRows(view: View, style: Style): string[][] {
  return view.here.statuses.flatMap((status) => {
    if (!('parents' in status.status)) return []
    const route = view.read.objects.find(
      ({ kind, metadata }) => kind === status.kind && metadata.namespace === status.namespace && metadata.name === status.name,
    )
    return status.status.parents.map(({ parentRef, conditions = [] }) => [
      `${status.kind} ${style.bold(`${status.namespace}/${status.name}`)}`,
      isHttpRoute(route) ? route.spec.hostnames.join(', ') || '*' : '',
      `on ${parentRef.name}${parentRef.sectionName === undefined ? '' : `/${parentRef.sectionName}`}`,
      routeVerdict(view, status, conditions, style),
    ])
  })
}

/** "cluster: ResolvedRefs False; here: ..." where the kindnesses make a difference. */
function routeVerdict(view: View, status: StatusOf, conditions: readonly Condition[], style: Style): string {
  const here = verdict(conditions, ['Accepted', 'ResolvedRefs'], style)
  const strict = view.cluster.statuses.find(
    ({ kind, namespace, name }) => kind === status.kind && namespace === status.namespace && name === status.name,
  )
  if (strict === status || strict === undefined || !('parents' in strict.status)) return here
  const bad = strict.status.parents.flatMap((parent) => (parent.conditions ?? []).filter(isBad))
  const first = bad[0]
  return first === undefined || here.includes(first.reason)
    ? here
    : `${here} ${style.dim(`(in a cluster: ${first.type} False, ${first.reason})`)}`
}

/** `ok`, or the first condition that says no, with its reason and the first line of its message. */
function verdict(conditions: readonly Condition[], types: readonly string[], style: Style): string {
  const bad = conditions.find((condition) => types.includes(condition.type) && condition.status !== 'True') ?? conditions.find(isBad)
  if (bad === undefined) return style.green('ok')
  return `${style.red(`${bad.type} ${bad.status}`)} ${bad.reason}: ${bad.message.split('\n')[0] ?? ''}`
}

function isBad({ type, status }: Condition): boolean {
  if (type === 'Conflicted' || type === 'PartiallyInvalid') return status === 'True'
  return (type === 'Accepted' || type === 'ResolvedRefs') && status === 'False'
}

function statusLine(status: StatusOf, view: View, style: Style): string {
  const name = `${status.kind} ${status.namespace === '' ? '' : `${status.namespace}/`}${status.name}`
  if ('parents' in status.status) {
    return `  ${name}: ${status.status.parents.map(({ conditions = [] }) => routeVerdict(view, status, conditions, style)).join('; ')}`
  }
  const conditions = 'conditions' in status.status ? status.status.conditions : []
  const listeners = 'listeners' in status.status ? status.status.listeners : []
  const bad = listeners
    .filter((listener) => listener.conditions.some(isBad))
    .map((listener) => `listener ${listener.name} ${verdict(listener.conditions, ['Accepted'], style)}`)
  return `  ${name}: ${[verdict(conditions, ['Accepted', 'Programmed'], style), ...bad].join('; ')}`
}

function isHttpRoute(object: View['read']['objects'][number] | undefined): object is HttpRoute {
  return object?.kind === 'HTTPRoute'
}

function findingLines(findings: readonly LocatedFinding[], style: Style): string[] {
  return byCause(findings).flatMap(({ severity, at, object, message, fix, uses = [] }) => {
    const colour = severity === 'error' ? style.red : severity === 'warning' ? style.yellow : style.dim
    const place = at === undefined ? '' : `${at.file}:${at.line}:${at.column}: `
    const name = object === undefined ? '' : `${object.kind} ${object.namespace === '' ? '' : `${object.namespace}/`}${object.name}: `
    const [first = '', ...more] = `${place}${name}${message}`.split('\n')
    const also = uses.length === 0 ? [] : [`           also at ${uses.length} other ${uses.length === 1 ? 'place' : 'places'}`]
    const hint = fix === undefined ? [] : ('text' in fix ? fix.text : `add:\n${fix.yaml}`).trimEnd().split('\n')
    return [`  ${colour(severity.padEnd(7))}  ${first}`, ...[...more, ...hint].map((line) => `           ${line}`), ...also]
  })
}
