/** `gatewright explain`: where a request goes, or a connection, and why, and for everything else that might have taken it why it did not. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isClaim } from '../proxy/http/forwarded.ts'
import { compile } from '../routing/compile.ts'
import { explain as explainRequest, type Explanation } from '../routing/explain.ts'
import { writtenRequest } from '../routing/request.ts'
import { DevelopmentCa } from '../standalone/development-ca.ts'
import { Overlay, type OverlayWants } from '../standalone/overlay.ts'
import type { Settings } from '../standalone/settings.ts'
import { translate } from '../translate/translate.ts'
import type { Translation } from '../translate/translation.ts'
import { refusedObjects } from './all-findings.ts'
import type { Asked } from './asked.ts'
import { assumingServed } from './assuming-served.ts'
import { explainReport } from './explain-report.ts'
import { answersFor, askedStream, type AskedStream, streamReport } from './explain-stream.ts'
import { fetchServed } from './explain-admin.ts'
import { FolderSettings, noSettings } from './folder-settings.ts'
import { type KindnessFlags, mappings, namesCluster, portOverrides, type SourceFlags, translateOptions } from './flags.ts'
import { type Offline, translateOffline } from './offline.ts'
import { refusedFor, refusedRoutes, routeHostnames, routeOf } from './refused-routes.ts'
import { serialise } from './serialise.ts'
import { configuredPool, poolsOf } from './shown-pool.ts'
import { styleFor } from './style.ts'
import { UserError } from './user-error.ts'

export interface ExplainFlags extends SourceFlags, KindnessFlags {
  readonly output?: 'json' | 'yaml'
  readonly request: string
  readonly header: readonly string[]
  /** The client is one that `run --trust` names. */
  readonly trusted: boolean
  readonly gateway?: string
  readonly admin?: string
}

export interface Answer {
  readonly gateway: string
  readonly explanation: Explanation
}

/** Stands for the ports of echo backends, which are not started. */
const inventedPort = 1

export async function explain(paths: readonly string[], flags: ExplainFlags): Promise<number> {
  const [method = '', url = '', ...rest] = flags.request.trim().split(/\s+/)
  if (rest.length > 0 || url === '')
    throw new UserError(`Cannot explain: --request must be 'METHOD URL' or 'TCP|TLS|UDP NAME:PORT', got '${flags.request}'`, 2)
  const stream = askedStream(method, url)
  if (stream !== undefined) return explainStream(paths, flags, stream)
  const headers = flags.header.map(headerOf)
  const dropped = [...new Set(headers.map(([name]) => name))].filter((name) => isClaim(name, flags.trusted))
  const written = writtenRequest(
    method,
    url,
    headers.filter(([name]) => !dropped.includes(name)),
  )
  if ('problem' in written) throw new UserError(written.problem, 2)
  const { port, request } = written

  const asked = flags.admin === undefined ? await offline(paths, flags) : await fetchServed(flags.admin)
  const chosen = asked.configs.filter(({ gateway }) => flags.gateway === undefined || gateway === flags.gateway)
  const answers = chosen.flatMap((config): Answer[] => {
    const specPort = asked.specPort(config.gateway, port)
    if (!config.listeners.some((listener) => listener.port === specPort)) return []
    return [{ gateway: config.gateway, explanation: explainRequest(compile(config), specPort, request) }]
  })
  const refused = refusedFor(asked.refused, request.host)
  const keys = new Set(answers.flatMap(({ explanation: { winner } }) => (winner === undefined ? [] : poolsOf(winner))))
  const pools = [...keys].flatMap((key) => asked.poolOf(key) ?? [])
  const found = {
    request: { method, url, headers: flags.header, dropped },
    port,
    answers,
    refused,
    notes: asked.notes,
    pools,
    gateways: chosen,
  }
  if (flags.output === undefined) process.stdout.write(explainReport(found, styleFor(process.stdout, process.env)))
  else process.stdout.write(serialise({ ...found, gateways: undefined }, flags.output))
  return answers.some(({ explanation }) => explanation.winner !== undefined) ? 0 : 1
}

async function explainStream(paths: readonly string[], flags: ExplainFlags, stream: AskedStream): Promise<number> {
  if (flags.header.length > 0) throw new UserError(`Cannot explain: ${stream.protocol} has no headers, got ${flags.header.join(', ')}`, 2)
  const asked = flags.admin === undefined ? await offline(paths, flags) : await fetchServed(flags.admin)
  const found = answersFor(asked, stream, flags.gateway)
  if (flags.output === undefined) process.stdout.write(streamReport(found, styleFor(process.stdout, process.env)))
  else process.stdout.write(serialise(found, flags.output))
  return found.answers.some(({ explanation }) => explanation.winner !== undefined) ? 0 : 1
}

/** The files as `run` would serve them here, or with --strict as a cluster would; a cluster as it is. */
async function offline(paths: readonly string[], flags: ExplainFlags): Promise<Asked> {
  const isStrict = flags.strict || namesCluster(flags)
  const strict = await translateOffline(paths, flags, isStrict ? 'keep' : 'localhost')
  const settings = namesCluster(flags) ? noSettings : new FolderSettings(paths).look().settings
  const moved = new Map([...settings.ports, ...portOverrides(flags)])
  const overrides = new Map([...moved].map(([from, to]) => [to, from]))
  const { translation, notes, echoes } = isStrict
    ? { translation: strict.translation, notes: [], echoes: [] }
    : await withKindnesses(strict, settings, flags)
  const pools = translation.configs.flatMap((config) => config.pools)
  return {
    configs: translation.configs,
    specPort: (_gateway, port) => overrides.get(port) ?? port,
    refused: refusedRoutes((status) => routeHostnames(routeOf(strict.snapshot, status)), translation.statuses),
    notes,
    poolOf: (key) => {
      const pool = pools.find((one) => one.key === key)
      if (pool === undefined) return undefined
      const { namespace, name } = pool.backend
      const echoed = echoes.some((echo) => echo.namespace === namespace && echo.name === name)
      return configuredPool(pool, ({ address, port }) => echoed && address === '127.0.0.1' && port === inventedPort)
    },
  }
}

/** The overlay of `run` on a loopback address with invented places: no socket is opened, and the certificates are gone with the command. */
async function withKindnesses(
  { read, snapshot, translation }: Offline,
  settings: Settings,
  flags: ExplainFlags,
): Promise<{ translation: Translation; notes: string[]; echoes: OverlayWants['echoes'] }> {
  const options = translateOptions(flags)
  const overlay = new Overlay({
    controllerName: options.controllerName,
    mappings: [...settings.mappings, ...mappings(flags)],
    echo: settings.echo ?? true,
    certificates: settings.certificates ?? true,
  })
  const plan = overlay.plan(snapshot, translation, refusedObjects(read))
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-explain-'))
  try {
    const ca = plan.wants.hostnames.length === 0 ? undefined : await DevelopmentCa.open(folder, Date.now())
    const leaves = new Map()
    for (const hostname of plan.wants.hostnames) leaves.set(hostname, await ca?.leaf(hostname, Date.now()))
    const { snapshot: overlaid, kindnesses } = overlay.apply(plan, {
      leaves,
      echoPorts: new Map(plan.wants.echoes.map(({ namespace, name }) => [`${namespace}/${name}`, inventedPort])),
      addresses: new Map(plan.wants.hosts.map((host) => [host, ['127.0.0.1']])),
      findings: [],
    })
    const { translation: served } = translate(assumingServed(overlaid), options)
    return { translation: served, notes: kindnesses.map(({ text }) => text), echoes: plan.wants.echoes }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function headerOf(text: string): [string, string] {
  const at = text.indexOf(':')
  if (at < 1) throw new UserError(`Cannot explain: a header must be 'name: value', got '${text}'`, 2)
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}
