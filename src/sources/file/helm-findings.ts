/** What only Helm can turn into objects: templates, and values that describe routes. Named, with the command that renders it. */
import { dirname, relative } from 'node:path'
import type { LocatedFinding, Location } from '../source.ts'
import { startOf } from './file-reading.ts'
import type { FileReading } from './file-reading.ts'
import { listSome } from './list-some.ts'
import type { Fields, Manifest } from './manifest.ts'
import { fieldsAt, groupOf, isFields, listAt, nameOf, ownNamespaceOf, textAt } from './manifest.ts'
import type { SourceFile } from './source-file.ts'

export function helmFindings(readings: readonly FileReading[]): LocatedFinding[] {
  const charts = new Set(readings.filter(({ file }) => file.name === 'Chart.yaml').map(({ file }) => file.folder))
  const templates = templatesByChart(readings, charts)
  return [...templateFindings(templates), ...releaseFindings(readings), ...valuesFindings(readings, charts, templates)]
}

/** Files with template syntax, by the folder of their chart, or by their own path where there is none. */
function templatesByChart(readings: readonly FileReading[], charts: ReadonlySet<string>): ReadonlyMap<string, SourceFile[]> {
  const templates = new Map<string, SourceFile[]>()
  for (const { file } of readings) {
    if (!file.isTemplate) continue
    const owner = chartOf(file, charts) ?? file.absolute
    templates.set(owner, [...(templates.get(owner) ?? []), file])
  }
  return templates
}

function chartOf(file: SourceFile, charts: ReadonlySet<string>): string | undefined {
  for (let folder = file.folder; ; folder = dirname(folder)) {
    if (charts.has(folder)) return folder
    if (folder === file.root || folder === dirname(folder)) return undefined
  }
}

function templateFindings(templates: ReadonlyMap<string, readonly SourceFile[]>): LocatedFinding[] {
  return [...templates.entries()].flatMap(([owner, files]) => {
    const [first] = files
    if (!first) return []
    const chart = owner === first.absolute ? 'CHART' : shortPath(owner)
    const message = `Cannot read ${listSome(files.map(({ path }) => path))}: Helm must render ${files.length === 1 ? 'it' : 'them'} first ({{ ... }})`
    const at = { file: first.path, line: 1, column: 1 }
    return {
      code: 'helm-template',
      severity: 'warning',
      message,
      fix: { text: `helm template ${chart} | gatewright run -` },
      at,
    }
  })
}

interface Release {
  readonly name: string
  readonly namespace: string
  readonly routes: readonly RouteValues[]
  readonly command: string
  readonly at: Location
}

/** One finding for all HelmReleases: a repository may well have dozens. */
function releaseFindings(readings: readonly FileReading[]): LocatedFinding[] {
  const releases = releasesWithRoutes(readings)
  const [first, ...others] = releases
  if (!first) return []
  const finding = {
    code: 'helm-routes',
    severity: 'warning',
    fix: { text: releases.map(({ command }) => command).join('\n') },
    cause: 'helm-releases',
    at: first.at,
  } as const
  if (others.length === 0) {
    const object = { kind: 'HelmRelease', namespace: first.namespace, name: first.name }
    return [{ ...finding, object, message: `holds ${describe(first.routes)} that only Helm can render` }]
  }
  const total = releases.reduce((sum, { routes }) => sum + routes.length, 0)
  const named = releases.map(({ namespace, name, routes }) => `${namespace}/${name}: ${describe(routes)}`)
  const message = [`${releases.length} HelmReleases hold ${total} routes that only Helm can render`, ...named].join('\n')
  return [{ ...finding, message, uses: others.map(({ at }) => at) }]
}

function releasesWithRoutes(readings: readonly FileReading[]): Release[] {
  const withOthers = readings.filter(({ others }) => others.length > 0)
  const sources = withOthers.flatMap(({ others }) =>
    others.map(({ manifest }) => manifest).filter(({ apiVersion }) => groupOf(apiVersion) === 'source.toolkit.fluxcd.io'),
  )
  return withOthers.flatMap(({ file, others, namespace: fallback }) =>
    others.flatMap(({ manifest, document }) => {
      if (manifest.kind !== 'HelmRelease') return []
      const spec = fieldsAt(manifest.value, 'spec')
      const routes = routesIn(spec['values'])
      if (routes.length === 0) return []
      const name = nameOf(manifest)
      const namespace = ownNamespaceOf(manifest) ?? fallback
      const select = `select(.kind == "HelmRelease" and .metadata.name == "${name}") | .spec.values`
      const template = `helm template ${textAt(spec, 'releaseName') ?? name} ${chartArguments(spec, sources)} --namespace ${namespace} --values -`
      const command = `yq '${select}' ${file.path} | ${template} | gatewright run -`
      return { name, namespace, routes, command, at: startOf(file, document) }
    }),
  )
}

function chartArguments(spec: Fields, sources: readonly Manifest[]): string {
  const chart = fieldsAt(spec, 'chart', 'spec')
  const reference = Object.keys(chart).length > 0 ? fieldsAt(chart, 'sourceRef') : fieldsAt(spec, 'chartRef')
  const source = sources.find(
    (candidate) => candidate.kind === textAt(reference, 'kind') && nameOf(candidate) === textAt(reference, 'name'),
  )
  const sourceSpec = fieldsAt(source?.value, 'spec')
  const url = textAt(sourceSpec, 'url')
  const version = textAt(chart, 'version') ?? textAt(fieldsAt(sourceSpec, 'ref'), 'tag')
  const versioned = version === undefined ? '' : ` --version '${version}'`
  const name = textAt(chart, 'chart')
  if (url === undefined) return `${name ?? 'CHART'}${versioned}`
  if (name === undefined) return `${url}${versioned}`
  return url.startsWith('oci:') ? `${url.replace(/\/$/, '')}/${name}${versioned}` : `${name} --repo ${url}${versioned}`
}

function valuesFindings(
  readings: readonly FileReading[],
  charts: ReadonlySet<string>,
  templates: ReadonlyMap<string, unknown>,
): LocatedFinding[] {
  const files = readings.map(({ file }) => file).filter(({ values }) => values.length > 0)
  return files.flatMap((file) => {
    const routes = file.values.flatMap((value) => routesIn(value))
    if (routes.length === 0) return []
    const chart = chartOf(file, charts)
    // The chart's own defaults come with its templates, which have their finding already.
    if (chart !== undefined && templates.has(chart)) return []
    const arguments_ = chart === undefined ? `NAME CHART --values ${file.path}` : `${shortPath(chart)} --values ${file.path}`
    return {
      code: 'helm-routes',
      severity: 'warning',
      message: `${file.path} holds values for ${describe(routes)} that only Helm can render`,
      fix: { text: `helm template ${arguments_} | gatewright run -` },
      at: { file: file.path, line: 1, column: 1 },
    }
  })
}

interface RouteValues {
  readonly hostnames: readonly string[]
}

/** Charts write routes under such a key, or give them parentRefs. */
const ROUTE_KEY = /^(?:(?:http|grpc|tls|tcp|udp)?-?routes?|gateway(?:-?api)?)$/i

/** The places in values that look like a route and are not switched off. */
export function routesIn(value: unknown, isUnderRouteKey = false): RouteValues[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => routesIn(item, isUnderRouteKey))
  if (!isFields(value) || value['enabled'] === false) return []
  const hostnames = listAt(value, 'hostnames').filter((name) => typeof name === 'string')
  if (listAt(value, 'parentRefs').length > 0 || (isUnderRouteKey && hostnames.length > 0)) return [{ hostnames }]
  return Object.entries(value).flatMap(([key, item]) => routesIn(item, isUnderRouteKey || ROUTE_KEY.test(key)))
}

function describe(routes: readonly RouteValues[]): string {
  const hostnames = [...new Set(routes.flatMap((route) => route.hostnames))]
  const named = hostnames.length === 0 ? '' : ` (${listSome(hostnames)})`
  return `${routes.length} ${routes.length === 1 ? 'route' : 'routes'}${named}`
}

function shortPath(folder: string): string {
  const path = relative('.', folder)
  return path === '' ? '.' : path.startsWith('..') ? folder : `./${path}`
}
