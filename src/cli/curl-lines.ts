/** For each hostname that is served a `curl` line that works as printed. */
import type { GatewayConfig } from '../config/config.ts'
import type { HttpRouteConfig } from '../config/route.ts'
import type { ListenerConfig } from '../config/listener.ts'
import { bracketed } from '../lib/host-port.ts'
import { intersection, isWildcard } from '../lib/hostname.ts'
import { type ClientTerms, needsHeader } from './client-terms.ts'
import { sampleRequest } from './sample-request.ts'
import { reachable, shellWord } from './shell.ts'
import type { View } from './serving.ts'

/** What one line asks: every hostname on every Gateway and protocol once, by the first route that serves it. */
export interface CurlTarget {
  readonly config: GatewayConfig
  readonly listener: ListenerConfig
  readonly hostname: string
  readonly place: Place
  readonly route: HttpRouteConfig
}

interface Place {
  readonly address: string
  readonly listenPort: number
}

/** Of all hostnames; a line is made only of those that are shown. */
export function curlTargets(view: View): CurlTarget[] {
  const targets = new Map<string, CurlTarget>()
  for (const config of view.here.configs) {
    const places = new Map(
      view.served
        .get(config.gateway)
        ?.ports.filter(({ transport }) => transport === 'TCP')
        .map((place) => [place.port, place]),
    )
    const listeners = new Map(config.listeners.map((listener) => [listener.key, listener]))
    for (const route of config.routes) {
      // Nobody speaks gRPC with curl.
      if (route.kind === 'grpc') continue
      for (const { listener, hostname } of hostnamesOf(listeners, route)) {
        const place = places.get(listener.port)
        const key = `${hostname} ${listener.protocol} ${config.gateway}`
        if (place !== undefined && !targets.has(key)) targets.set(key, { config, listener, hostname, place, route })
      }
    }
  }
  return [...targets.values()]
}

export function curlLine(view: View, { config, listener, hostname, place, route }: CurlTarget, terms: ClientTerms): string {
  const header = needsHeader(terms, reachable(place.address)) ? ' --haproxy-protocol' : ''
  const trust = listener.protocol === 'HTTPS' ? trustFlag(view, config, listener, terms.caCertificate) : ''
  return curl(listener, hostname, place, header + trust, route)
}

/** A name for every hostname that the route has on each listener; a wildcard stands for one of its names. */
function hostnamesOf(
  listeners: ReadonlyMap<string, ListenerConfig>,
  route: HttpRouteConfig,
): { listener: ListenerConfig; hostname: string }[] {
  return route.attachments.flatMap(({ listener: key, hostnames }) => {
    const listener = listeners.get(key)
    if (listener === undefined) return []
    return hostnames.flatMap((own) => {
      const common = intersection(listener.hostname, own)
      if (common === undefined) return []
      return [{ listener, hostname: isWildcard(common) ? `www${common.slice(1)}` : common }]
    })
  })
}

function curl(listener: ListenerConfig, hostname: string, place: Place, flags: string, route: HttpRouteConfig): string {
  const scheme = listener.protocol === 'HTTPS' ? 'https' : 'http'
  const port = place.listenPort === (scheme === 'https' ? 443 : 80) ? '' : `:${place.listenPort}`
  const address = bracketed(reachable(place.address))
  const host = hostname === '' ? (scheme === 'https' ? 'localhost' : address) : hostname
  const resolve = hostname === '' && scheme === 'http' ? '' : ` --resolve ${shellWord(`${host}:${place.listenPort}:${address}`)}`
  const { method, target, headers } = sampleRequest(route)
  const fields = headers.map(([name, value]) => ` -H ${shellWord(value === '' ? `${name};` : `${name}: ${value}`)}`)
  return `curl${flags}${resolve}${methodFlag(method)}${fields.join('')} ${shellWord(`${scheme}://${host}${port}${target}`)}`
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

/** With -X HEAD curl would wait for a body. */
function methodFlag(method: string): string {
  if (method === 'GET') return ''
  return method === 'HEAD' ? ' --head' : ` -X ${method}`
}
