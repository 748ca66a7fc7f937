/**
 * The language of the routing cases: a gateway in a few lines of YAML, and a table of requests with what becomes of them.
 *
 *     listeners: [http, https *.shop.example, other http:8080 a.example]     [NAME] PROTOCOL[:PORT] [HOSTNAME]
 *     routes:                                                                in tie-break order
 *       cart:
 *         on: [https]                                                        listeners; all that share a host if absent
 *         hosts: [www.shop.example]                                          a GRPCRoute where matches begin with `@`
 *         rules:
 *           - GET =/cart ?x=1 [env=canary] -> stable 90, canary 10          a whole rule in a line, or
 *           - when: [/cart, ~/c[ao]rt]                                       any of these matches
 *             filters: [redirect: {scheme: https}]                           kind: the rest of a FilterConfig
 *             to: stable                                                     backends with weights; `!gone` does not resolve
 *     placement: {80: 8080}
 *     requests: |
 *       GET https://www.shop.example/cart [env=canary] -> canary
 *       10 x GET http://a.example/cart                  -> 9 stable, 1 canary
 *
 * A match is METHOD, path, query and headers, each of them optional: `/prefix`, `=/exact`, `~regex`, `?name=value`,
 * `[name=value]`; in the last two `~` in place of `=` makes the value a regular expression. A GRPCRoute's begins with
 * `@service/Method`, either of them left out if need be, or `@~service/Method` for regular expressions.
 * GRPC in place of a request's method sends `content-type: application/grpc`.
 * An outcome is a backend, with ` as [//HOST]PATH` when the request is rewritten and ` & POOL` for each mirror that gets a
 * copy; a status; a status and the Location.
 */
import { parse } from 'yaml'
import type { GatewayConfig } from '../../../src/config/config.ts'
import type { FilterConfig, HeaderEdits } from '../../../src/config/filter.ts'
import type { ListenerConfig } from '../../../src/config/listener.ts'
import type { Placement } from '../../../src/config/placement.ts'
import type {
  BackendConfig,
  HttpMatchConfig,
  HttpRouteConfig,
  HttpRuleConfig,
  PathMatchConfig,
  ValueMatchConfig,
} from '../../../src/config/route.ts'
import { intersection } from '../../../src/lib/hostname.ts'
import { writtenRequest, type WrittenRequest } from '../../../src/routing/request.ts'
import { grpcMatchConfig } from '../../../src/translate/grpc-match.ts'

export interface Scenario {
  readonly config: GatewayConfig
  readonly placement: Placement
  readonly expectations: readonly Expectation[]
}

export interface Expectation {
  /** As written. */
  readonly line: string
  readonly times: number
  readonly request: WrittenRequest
  readonly outcome: string
}

interface Written {
  readonly listeners?: readonly string[]
  readonly routes: Readonly<
    Record<
      string,
      { readonly on?: readonly string[]; readonly hosts?: readonly string[]; readonly rules: readonly (string | WrittenRule)[] }
    >
  >
  readonly placement?: Readonly<Record<number, number>>
  readonly requests?: string
}

interface WrittenRule {
  readonly name?: string
  readonly when?: string | readonly string[]
  readonly filters?: readonly Readonly<Record<string, object>>[]
  readonly to?: string
}

export function parseScenario(yaml: string): Scenario {
  const written = parse(yaml) as Written
  const listeners = (written.listeners ?? ['http']).map(parseListener)
  const routes = Object.entries(written.routes).map(([name, { on, hosts, rules }]): HttpRouteConfig => {
    const parsed = rules.map((rule) => (typeof rule === 'string' ? parseRuleLine(rule) : rule))
    const grpc = parsed.some(({ when }) => [when ?? ''].flat().some((match) => match.startsWith('@')))
    const key = `${grpc ? 'GRPCRoute' : 'HTTPRoute'}/default/${name}`
    const attachments = listeners
      .filter((listener) => on === undefined || on.includes(listener.name))
      .map((listener) => ({
        listener: listener.key,
        hostnames: (hosts ?? ['']).filter((host) => intersection(listener.hostname, host) !== undefined),
      }))
      .filter(({ hostnames }) => hostnames.length > 0)
    return { kind: grpc ? 'grpc' : 'http', key, attachments, rules: parsed.map((rule, index) => parseRule(key, rule, index)) }
  })
  return {
    config: { gateway: 'default/gateway', listeners, routes, streams: [], pools: [], certificates: [] },
    placement: (_gateway, port) => ({ address: '127.0.0.1', port: written.placement?.[port] ?? port }),
    expectations: (written.requests ?? '')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(parseExpectation),
  }
}

function parseListener(text: string): ListenerConfig {
  const [, name, protocol, port, hostname = ''] = /^(?:(\S+) )?(https?)(?::(\d+))?(?: (\S+))?$/.exec(text) ?? []
  if (protocol === undefined) throw new Error(`Cannot read a listener: it must be "[NAME] http[s][:PORT] [HOSTNAME]", got "${text}"`)
  const secure = protocol === 'https'
  return {
    key: `Gateway/default/gateway/${name ?? protocol}`,
    name: name ?? protocol,
    port: port === undefined ? (secure ? 443 : 80) : Number(port),
    protocol: secure ? 'HTTPS' : 'HTTP',
    hostname,
    ...(secure ? { tls: { kind: 'terminate', certificates: ['development'], minVersion: 'TLSv1.2' } } : {}),
  }
}

function parseRule(route: string, rule: WrittenRule, index: number): HttpRuleConfig {
  const when = rule.when ?? '/'
  return {
    key: `${route}/${rule.name ?? index}`,
    index,
    matches: (typeof when === 'string' ? [when] : when).map(parseMatch),
    filters: (rule.filters ?? []).map(parseFilter),
    backends: rule.to === undefined ? [] : rule.to.split(',').map(parseBackend),
    timeouts: {},
  }
}

function parseRuleLine(line: string): WrittenRule {
  const [when = '', to] = line.split('->').map((part) => part.trim())
  return { when, ...(to === undefined ? {} : { to }) }
}

export function parseMatch(text: string): HttpMatchConfig {
  let path: PathMatchConfig = { kind: 'prefix', value: '/' }
  let method: string | undefined
  const headers: ValueMatchConfig[] = []
  const query: ValueMatchConfig[] = []
  let grpc: HttpMatchConfig | undefined
  for (const [token, name = '', separator, value = '', parameter = '', operator, content = ''] of text.matchAll(
    /(?<!\S)\[([^=~\s]+)([=~])(.*?)\](?!\S)|\?([^=~\s]+)([=~])(\S*)|\S+/g,
  )) {
    if (token.startsWith('[')) headers.push({ kind: separator === '=' ? 'exact' : 'regex', name: name.toLowerCase(), value })
    else if (token.startsWith('?')) query.push({ kind: operator === '=' ? 'exact' : 'regex', name: parameter, value: content })
    else if (token.startsWith('@')) path = (grpc = parseGrpcMatch(token)).path
    else if (token.startsWith('=')) path = { kind: 'exact', value: token.slice(1) }
    else if (token.startsWith('~')) path = { kind: 'regex', value: token.slice(1) }
    else if (token.startsWith('/')) path = { kind: 'prefix', value: token }
    else method = token
  }
  return { path, ...(method === undefined ? {} : { method }), headers, query, ...(grpc?.grpc === undefined ? {} : { grpc: grpc.grpc }) }
}

function parseGrpcMatch(token: string): HttpMatchConfig {
  const [, tilde, service = '', method = ''] = /^@(~?)([^/]*)(?:\/(.*))?$/.exec(token) ?? []
  const type = tilde === '~' ? ('RegularExpression' as const) : ('Exact' as const)
  return grpcMatchConfig({ ...(service === '' && method === '' ? {} : { method: { type, service, method } }), headers: [] })
}

function parseFilter(written: Readonly<Record<string, object>>): FilterConfig {
  const [[kind, rest] = []] = Object.entries(written)
  const edits: HeaderEdits = { set: [], add: [], remove: [] }
  const defaults = {
    redirect: { status: 302 },
    requestHeaders: edits,
    responseHeaders: edits,
    rewrite: {},
    fail: {},
    mirror: { numerator: 1, denominator: 1 },
    cors: { origins: [], credentials: false, methods: [], headers: [], exposeHeaders: [], maxAge: 5 },
    externalAuth: { protocol: 'http', pathPrefix: '', requestHeaders: [], responseHeaders: [], maxBody: 0 },
  }
  return { kind, ...defaults[kind as FilterConfig['kind']], ...rest } as FilterConfig
}

function parseBackend(text: string): BackendConfig {
  const [name = '', weight = '1'] = text.trim().split(/\s+/)
  if (!name.startsWith('!')) return { kind: 'pool', pool: name, weight: Number(weight), filters: [] }
  return {
    kind: 'fail',
    backend: name.slice(1),
    reason: 'BackendNotFound',
    message: `Service ${name.slice(1)} does not exist`,
    weight: Number(weight),
  }
}

function parseExpectation(line: string): Expectation {
  const [, times = '1', method = '', url = '', headers = '', outcome] =
    /^(?:(\d+) x +)?(\S+) +(\S+)((?: +\[[^\]]*\])*) +-> (.+)$/.exec(line.trim()) ?? []
  if (outcome === undefined)
    throw new Error(`Cannot read a request: it must be "[N x] METHOD URL [NAME=VALUE]... -> OUTCOME", got "${line}"`)
  const fields = [...headers.matchAll(/\[([^\]=]+)=([^\]]*)\]/g)].map(([, name = '', value = '']) => [name, value] as const)
  const grpc = method === 'GRPC'
  const request = writtenRequest(grpc ? 'POST' : method, url, grpc ? [['content-type', 'application/grpc'], ...fields] : fields)
  if ('problem' in request) throw new Error(request.problem)
  return { line: line.trim(), times: Number(times), request, outcome: outcome.trim() }
}
