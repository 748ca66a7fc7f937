/** Requests and what becomes of them, as a table: how the rows are written, sent and compared. */
import { type Agents, exchange, type Exchange, fieldOf, type HttpVersion } from './exchange.ts'
import { INFRA } from './suite-objects.ts'

/** `/path`, `host/path` or `METHOD host/path`. A request without host is for the Gateway's address. */
export type Request = string | RequestSketch

interface RequestSketch {
  readonly to: string
  readonly fields?: Fields
  /** The request's host unless given. */
  readonly serverName?: string
  /** Fields that the backend shall answer with. */
  readonly backendSends?: Fields
}

type Fields = Readonly<Record<string, string>>

/** A status, a backend (which answers 200 and received the request as it was sent), or more. */
export type Outcome = number | string | OutcomeSketch

interface OutcomeSketch {
  /** 200 unless given. */
  readonly status?: number
  readonly backend?: string
  /** Of the backend; the suite's infrastructure unless given. */
  readonly namespace?: string
  /** What the backend received, where that is not what was sent. */
  readonly path?: string
  readonly host?: string
  /** Fields that the backend received; null for one that it must not receive. */
  readonly received?: Readonly<Record<string, string | null>>
  /** Fields of the answer; null for one that it must not have. */
  readonly sent?: Readonly<Record<string, string | null>>
  /** Where a redirect goes; the host `gateway` stands for the Gateway's address. */
  readonly location?: string
}

export type Row = readonly [request: Request, outcome: Outcome]

/** Whom the requests go to. */
export interface Entrance {
  /** The Gateway's, in its status. */
  readonly address: string
  /** The specification's. */
  readonly port: number
  readonly listenPort: number
  readonly tls?: { readonly authority: string }
  readonly version: HttpVersion
  /** What the specification calls a port of loopback. */
  readonly specified: (port: number) => number
}

/** What came and what should have, for `expect(...).toEqual(...)`: each row shows no more than its outcome asks for. */
export async function judge(
  entrance: Entrance,
  agents: Agents,
  rows: readonly Row[],
): Promise<{ readonly came: unknown; readonly wanted: unknown }> {
  const judged = await Promise.all(
    rows.map(async ([request, outcome]) => {
      const sent = sketchOf(request)
      const { method, host, path } = parsed(sent.to, entrance)
      const wanted = wantedOf(outcome, { method, host, path }, entrance)
      const echo = Object.entries(sent.backendSends ?? {}).map(([name, value]) => `${name}:${value}`)
      const fields: [string, string][] = [...Object.entries(sent.fields ?? {}), ['X-Echo-Set-Header', echo.join(',')]]
      const { listenPort: port, version } = entrance
      const tls = entrance.tls && { ...entrance.tls, serverName: sent.serverName ?? host.replace(/:\d+$/, '') }
      const came = await exchange({ port, method, path, host, fields, version, ...(tls && { tls }) }, agents)
      return { came: [request, shown(came, wanted, entrance)], wanted: [request, wanted] }
    }),
  )
  return { came: judged.map(({ came }) => came), wanted: judged.map(({ wanted }) => wanted) }
}

function sketchOf(request: Request): RequestSketch {
  return typeof request === 'string' ? { to: request } : request
}

function parsed(to: string, { address, port, tls }: Entrance): { readonly method: string; readonly host: string; readonly path: string } {
  const [, method = 'GET', host = '', path = '/'] = /^(?:([A-Z]+) )?([^/]*)(\/.*)$/.exec(to) ?? []
  const authority = port === (tls === undefined ? 80 : 443) ? address : `${address}:${port}`
  return { method, host: host === '' ? authority : host, path }
}

/** With everything that the suite takes for granted filled in. */
function wantedOf(
  outcome: Outcome,
  request: { readonly method: string; readonly host: string; readonly path: string },
  entrance: Entrance,
): OutcomeSketch & { readonly method?: string } {
  const sketch = typeof outcome === 'number' ? { status: outcome } : typeof outcome === 'string' ? { backend: outcome } : outcome
  const { status = 200, location } = sketch
  if (status !== 200) return { ...sketch, status, ...(location && { location: location.replace('://gateway', `://${entrance.address}`) }) }
  return { status, namespace: INFRA, ...request, ...sketch }
}

/** What the expectation looks at, and nothing else. */
function shown({ status, fields, echo }: Exchange, wanted: OutcomeSketch, entrance: Entrance): object {
  const all = {
    status,
    backend: echo?.pod,
    namespace: echo?.namespace,
    method: echo?.method,
    path: echo?.path,
    host: echo?.host,
    received: selected(echo?.fields ?? [], wanted.received),
    sent: selected(fields, wanted.sent),
    location: locationOf(fields, entrance),
  }
  return Object.fromEntries(Object.entries(all).filter(([key]) => Object.hasOwn(wanted, key)))
}

function selected(fields: Exchange['fields'], wanted: OutcomeSketch['received'] = {}): object {
  return Object.fromEntries(Object.keys(wanted).map((name) => [name, fieldOf(fields, name) ?? null]))
}

function locationOf(fields: Exchange['fields'], { specified }: Entrance): string | undefined {
  const location = fieldOf(fields, 'location')
  if (location === undefined) return undefined
  const url = new URL(location)
  if (url.port !== '') url.port = String(specified(Number(url.port)))
  return url.href
}
