/** For each hostname that is served a `curl` line that works as printed. */
import type { GatewayConfig } from '../config/config.ts'
import type { HttpMatchConfig, HttpRouteConfig } from '../config/route.ts'
import type { ListenerConfig } from '../config/listener.ts'
import { intersection, isWildcard } from '../lib/hostname.ts'
import type { View } from './serving.ts'

export interface CurlLine {
  readonly hostname: string
  readonly line: string
}

/** `caCertificate` is the development CA's file, undefined when it signed nothing that serves. */
export function curlLines(view: View, caCertificate: string | undefined): CurlLine[] {
  const lines = new Map<string, CurlLine>()
  for (const config of view.here.configs) {
    for (const route of config.routes) {
      for (const { listener, hostname } of hostnamesOf(config, route)) {
        const place = view.served.get(config.gateway)?.ports.find(({ port }) => port === listener.port)
        const key = `${hostname} ${listener.protocol} ${config.gateway}`
        if (place === undefined || lines.has(key)) continue
        const trust = listener.protocol === 'HTTPS' ? trustFlag(view, config, listener, caCertificate) : ''
        lines.set(key, { hostname, line: curl(listener, hostname, place, trust, route) })
      }
    }
  }
  return [...lines.values()]
}

/** A name for every hostname that the route has on each listener; a wildcard stands for one of its names. */
function hostnamesOf(config: GatewayConfig, route: HttpRouteConfig): { listener: ListenerConfig; hostname: string }[] {
  return route.attachments.flatMap(({ listener: key, hostnames }) => {
    const listener = config.listeners.find((one) => one.key === key)
    if (listener === undefined) return []
    return hostnames.flatMap((own) => {
      const common = intersection(listener.hostname, own)
      if (common === undefined) return []
      return [{ listener, hostname: isWildcard(common) ? `www${common.slice(1)}` : common }]
    })
  })
}

function curl(
  listener: ListenerConfig,
  hostname: string,
  place: { address: string; listenPort: number },
  trust: string,
  route: HttpRouteConfig,
): string {
  const scheme = listener.protocol === 'HTTPS' ? 'https' : 'http'
  const port = place.listenPort === (scheme === 'https' ? 443 : 80) ? '' : `:${place.listenPort}`
  const address = place.address.includes(':') ? `[${place.address}]` : place.address
  const host = hostname === '' ? (scheme === 'https' ? 'localhost' : reachable(address)) : hostname
  const resolve = hostname === '' && scheme === 'http' ? '' : ` --resolve ${shellWord(`${host}:${place.listenPort}:${reachable(address)}`)}`
  const match = literalMatch(route)
  return `curl${trust}${resolve}${requestOf(match)} ${shellWord(`${scheme}://${host}${port}${pathOf(match)}`)}`
}

/** An address of "every interface" is no address to connect to. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1'
  return address === '[::]' ? '[::1]' : address
}

function trustFlag(view: View, config: GatewayConfig, listener: ListenerConfig, caCertificate: string | undefined): string {
  const [kind = '', namespace = '', name = ''] = listener.key.split('/')
  const isDevelopment = view.kindnesses.some(
    ({ kind: what, object, text }) =>
      what === 'certificate' &&
      object.kind === kind &&
      object.namespace === namespace &&
      object.name === name &&
      text.startsWith(`listener ${listener.name} `),
  )
  const fromGateway = view.kindnesses.some(
    ({ kind: what, object }) => what === 'gateway' && `${object.namespace}/${object.name}` === config.gateway,
  )
  return caCertificate !== undefined && (isDevelopment || fromGateway) ? ` --cacert ${shellWord(caCertificate)}` : ' --insecure'
}

/** The first match that says literally what it wants; a request for a regular expression would have to be invented. */
function literalMatch(route: HttpRouteConfig): HttpMatchConfig | undefined {
  const matches = route.rules.flatMap((rule) => rule.matches)
  return matches.find(({ path, headers, query }) => [path, ...headers, ...query].every(({ kind }) => kind !== 'regex')) ?? matches[0]
}

/** Method and headers of the match, as far as they are literal. */
function requestOf(match: HttpMatchConfig | undefined): string {
  const method = match?.method ?? 'GET'
  const headers = (match?.headers ?? [])
    .filter(({ kind }) => kind === 'exact')
    .map(({ name, value }) => ` -H ${shellWord(`${name}: ${value}`)}`)
  // With -X HEAD curl would wait for a body.
  return (method === 'GET' ? '' : method === 'HEAD' ? ' --head' : ` -X ${method}`) + headers.join('')
}

function pathOf(match: HttpMatchConfig | undefined): string {
  const query = (match?.query ?? [])
    .filter(({ kind }) => kind === 'exact')
    .map(({ name, value }) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  const path = match === undefined || match.path.kind === 'regex' ? '/' : match.path.value
  return query.length === 0 ? path : `${path}?${query.join('&')}`
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
