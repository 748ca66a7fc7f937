/** What `run` shows a person at the start: what is served where, what is refused, what to try. */
import type { Condition } from '../api/meta.ts'
import type { ListenerConfig } from '../config/listener.ts'
import type { Acknowledgement } from '../delivery/in-process.ts'
import { hostPort } from '../lib/host-port.ts'
import { transportOf } from '../lib/transport.ts'
import type { StatusOf } from '../translate/translation.ts'
import { trustHints } from '../standalone/trust.ts'
import type { ClientTerms } from './client-terms.ts'
import { columns } from './columns.ts'
import { firstBad, isBad } from './condition.ts'
import { curlLine, curlTargets } from './curl-lines.ts'
import { located } from './finding-lines.ts'
import { routeHostnames, routeOf } from './refused-routes.ts'
import type { View } from './serving.ts'
import { statusOf } from './status-of.ts'
import { streamLines } from './stream-lines.ts'
import type { Style } from './style.ts'

/** Lines of one section. */
const mostLines = 60

export interface RunSurroundings extends ClientTerms {
  readonly admin: string
  readonly platform: string
}

export function startReport(view: View, surroundings: RunSurroundings, style: Style): string {
  const { caCertificate, admin, platform } = surroundings
  const lines: string[] = []
  const section = (title: string, body: readonly string[]): void => {
    if (body.length > 0) lines.push(style.bold(title), ...body, '')
  }
  section('Gateways', columns(gatewayRows(view, style), '  '))
  section('Routes', routeLines(view, style))
  section('Refused', shortened(refusals(view.here.statuses, style), 'lines, all of it with `gatewright check`'))
  section('Ports that could not be opened', failedPorts(view))
  section(
    'Kindnesses of this machine (a cluster has none of them; --strict switches them off)',
    shortened(
      view.kindnesses.map(({ text }) => `  ${text}`),
      'kindnesses',
    ),
  )
  section('Findings', shortened(located(view.findings, style), 'lines, all of it with `gatewright check`'))
  const targets = curlTargets(view)
  const curls = targets.slice(0, mostLines).map((target) => `  ${curlLine(view, target, surroundings)}`)
  const streams = streamLines(view, surroundings)
  section('Try', [
    ...curls,
    ...rest(targets.length, 'hostnames'),
    ...streams.slice(0, mostLines).map((line) => `  ${line}`),
    ...rest(streams.length, 'ports and server names'),
  ])
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

/** A folder with thousands of routes must not bury the rest. */
function shortened(lines: readonly string[], what: string): readonly string[] {
  return [...lines.slice(0, mostLines), ...rest(lines.length, what)]
}

function rest(count: number, what: string): string[] {
  return count <= mostLines ? [] : [`  ... and ${count - mostLines} more ${what}`]
}

function gatewayRows(view: View, style: Style): string[][] {
  const rows: string[][] = []
  const setsOf = statusesOfSets(view)
  const placesOf = listenerPlaces(view)
  for (const status of view.here.statuses) {
    if (status.kind !== 'Gateway' || !('listeners' in status.status)) continue
    const name = `${status.namespace}/${status.name}`
    rows.push([style.bold(name), '', '', '', verdict(status.status.conditions, style)])
    const places = placesOf.get(name) ?? new Map<string, ListenerPlace>()
    rows.push(...listenerRows(view, places, status, '  ', style))
    for (const set of setsOf.get(name) ?? []) {
      rows.push([`  ListenerSet ${style.bold(`${set.namespace}/${set.name}`)}`, '', '', '', setVerdict(set, style)])
      rows.push(...listenerRows(view, places, set, '    ', style))
    }
  }
  return rows
}

/** By `namespace/name` of the Gateway, accepted or not. */
function statusesOfSets(view: View): ReadonlyMap<string, readonly StatusOf[]> {
  const statuses = new Map<string, StatusOf[]>()
  for (const status of view.here.statuses) {
    if (status.kind !== 'ListenerSet') continue
    const parent = view.objects.get('ListenerSet', status.namespace, status.name)?.spec.parentRef
    if (parent === undefined) continue
    const gateway = `${parent.namespace ?? status.namespace}/${parent.name}`
    const known = statuses.get(gateway)
    if (known === undefined) statuses.set(gateway, [status])
    else known.push(status)
  }
  return statuses
}

function setVerdict({ status }: StatusOf, style: Style): string {
  return verdict('conditions' in status ? status.conditions : [], style)
}

/** A listener that is served, and where it is open; undefined: nowhere. */
interface ListenerPlace {
  readonly listener: ListenerConfig
  readonly open: Acknowledgement['ports'][number] | undefined
}

type ListenerPlaces = ReadonlyMap<string, ListenerPlace>

/** By Gateway and key of the listener: a Gateway may have thousands of ListenerSets. */
function listenerPlaces(view: View): ReadonlyMap<string, ListenerPlaces> {
  return new Map(
    view.here.configs.map(({ gateway, listeners }) => {
      const ports = new Map(view.served.get(gateway)?.ports.map((one) => [`${one.transport} ${one.port}`, one]))
      const placeOf = (listener: ListenerConfig): ListenerPlace => ({
        listener,
        open: ports.get(`${transportOf(listener.protocol)} ${listener.port}`),
      })
      return [gateway, new Map<string, ListenerPlace>(listeners.map((listener) => [listener.key, placeOf(listener)]))]
    }),
  )
}

/** `status` is that of the Gateway or of one of its ListenerSets. */
function listenerRows(view: View, places: ListenerPlaces, status: StatusOf, indent: string, style: Style): string[][] {
  const strict = clusterStatus(view, status)
  const clusterListeners = strict !== undefined && 'listeners' in strict.status ? strict.status.listeners : []
  const listeners = 'listeners' in status.status ? status.status.listeners : []
  return listeners.map(({ name, attachedRoutes, conditions }) => {
    const { listener: served, open } = places.get(`${status.kind}/${status.namespace}/${status.name}/${name}`) ?? {}
    return [
      `${indent}${name}`,
      served === undefined ? '' : `${served.protocol} ${served.port}`,
      open === undefined ? 'not open' : `-> ${placeText(open)}`,
      `${(served === undefined ? writtenHostname(view, status, name) : served.hostname) || '*'}, ${attachedRoutes} ${attachedRoutes === 1 ? 'route' : 'routes'}`,
      bothVerdicts(conditions, clusterListeners.find((one) => one.name === name)?.conditions ?? [], style),
    ]
  })
}

/** A listener that is refused, and so is in no configuration, has one too. */
function writtenHostname({ overlaid }: View, { kind, namespace, name }: StatusOf, listener: string): string | undefined {
  const owner = kind === 'Gateway' || kind === 'ListenerSet' ? overlaid.get(kind, namespace, name) : undefined
  return owner?.spec.listeners.find((one) => one.name === listener)?.hostname?.toLowerCase()
}

function placeText({ address, listenPort }: { readonly address: string; readonly listenPort: number }): string {
  return hostPort(address, listenPort)
}

/** Rows are made for those that are shown: each looks its object and a cluster's status up. */
function routeLines(view: View, style: Style): readonly string[] {
  const parents = view.here.statuses.flatMap((status) =>
    'parents' in status.status ? status.status.parents.map((parent) => ({ status, parent })) : [],
  )
  const rows = parents
    .slice(0, mostLines)
    .map(({ status, parent: { parentRef, conditions = [] } }) => [
      `${status.kind} ${style.bold(`${status.namespace}/${status.name}`)}`,
      routeHostnames(routeOf(view.objects, status)).join(', ') || '*',
      `on ${parentRef.kind === 'ListenerSet' ? 'ListenerSet ' : ''}${parentRef.name}${parentRef.sectionName === undefined ? '' : `/${parentRef.sectionName}`}`,
      routeVerdict(view, status, conditions, style),
    ])
  return [...columns(rows, '  '), ...rest(parents.length, 'routes, all of them at /statuses of the admin port')]
}

export function routeVerdict(view: View, status: StatusOf, conditions: readonly Condition[], style: Style): string {
  const strict = clusterStatus(view, status)
  const parents = strict !== undefined && 'parents' in strict.status ? strict.status.parents : []
  return bothVerdicts(
    conditions,
    parents.flatMap((parent) => parent.conditions ?? []),
    style,
  )
}

/** Of a policy or an XBackend, which have no conditions of their own: whatever a Gateway refuses is its verdict. */
export function ancestorsVerdict(view: View, status: StatusOf, style: Style): string {
  const strict = clusterStatus(view, status)
  return bothVerdicts(ancestorConditions(status), strict === undefined ? [] : ancestorConditions(strict), style)
}

function ancestorConditions({ status }: StatusOf): readonly Condition[] {
  return 'ancestors' in status ? status.ancestors.flatMap(({ conditions }) => conditions) : []
}

/** What a cluster would write for the same object. */
function clusterStatus(view: View, status: StatusOf): StatusOf | undefined {
  return statusOf(view.cluster.statuses, status)
}

/** The verdict of here, and a cluster's where the kindnesses make a difference. */
export function bothVerdicts(here: readonly Condition[], cluster: readonly Condition[], style: Style): string {
  const bad = cluster.find(isBad)
  if (bad === undefined || bad.reason === firstBad(here)?.reason) return verdict(here, style)
  return `${verdict(here, style)} ${style.dim(`(cluster: ${bad.type} ${bad.status} ${bad.reason})`)}`
}

export function verdict(conditions: readonly Condition[], style: Style): string {
  const bad = firstBad(conditions)
  return bad === undefined ? style.green('ok') : style.red(`${bad.type} ${bad.status} ${bad.reason}`)
}

/** What is refused and what would mend it: whole messages, since they hold the YAML to add. */
export function refusals(statuses: readonly StatusOf[], style: Style): string[] {
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
function conditionsOf(of: StatusOf): { condition: Condition; where: string }[] {
  const { status } = of
  if ('ancestors' in status) return ancestorConditions(of).map((condition) => ({ condition, where: '' }))
  if ('parents' in status) return status.parents.flatMap(({ conditions = [] }) => conditions.map((condition) => ({ condition, where: '' })))
  const listeners = 'listeners' in status ? status.listeners : []
  const ofListeners = listeners.flatMap(({ name, conditions }) =>
    conditions.map((condition) => ({ condition, where: ` listener ${name}` })),
  )
  if (ofListeners.some(({ condition }) => isBad(condition))) return ofListeners
  return 'conditions' in status ? status.conditions.map((condition) => ({ condition, where: '' })) : []
}

function failedPorts(view: View): string[] {
  return [...view.served].flatMap(([gateway, { failedPorts: failed }]) =>
    failed.map(
      ({ port, message }) =>
        `  ${gateway}: ${message}. Free it, or serve port ${port} elsewhere with --port ${port}=LOCAL; it is tried again every second.`,
    ),
  )
}
