/**
 * For each listener of streams that has a route a line that reaches it as printed: `nc`, or `openssl s_client` for a server name; that
 * one has none where it would have to begin with a header of the PROXY protocol.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { ListenerConfig } from '../config/listener.ts'
import { hostPort } from '../lib/host-port.ts'
import { intersection, isWildcard } from '../lib/hostname.ts'
import { transportOf } from '../lib/transport.ts'
import { type ClientTerms, needsHeader } from './client-terms.ts'
import { reachable, shellWord } from './shell.ts'
import type { View } from './serving.ts'

interface Place {
  readonly address: string
  readonly listenPort: number
}

export function streamLines(view: View, terms: ClientTerms): readonly string[] {
  return view.here.configs.flatMap((config) => {
    const places = view.served.get(config.gateway)?.ports ?? []
    return config.listeners.flatMap((listener) => {
      const place = places.find(({ port, transport }) => port === listener.port && transport === transportOf(listener.protocol))
      return place === undefined ? [] : linesFor(config, listener, place, terms)
    })
  })
}

function linesFor(config: GatewayConfig, listener: ListenerConfig, place: Place, terms: ClientTerms): readonly string[] {
  const hostnames = hostnamesOf(config, listener)
  if (hostnames.length === 0) return []
  const address = reachable(place.address)
  switch (listener.protocol) {
    case 'HTTP':
    case 'HTTPS':
      return []
    case 'TCP':
      return [
        needsHeader(terms, address)
          ? `{ printf 'PROXY UNKNOWN\\r\\n'; cat; } | nc ${address} ${place.listenPort}`
          : `nc ${address} ${place.listenPort}`,
      ]
    case 'UDP':
      return [`nc -u ${address} ${place.listenPort}`]
    case 'TLS': {
      if (needsHeader(terms, address)) return []
      const trust = terms.caCertificate === undefined ? '' : ` -CAfile ${shellWord(terms.caCertificate)}`
      const to = hostPort(address, place.listenPort)
      return hostnames.map(
        (hostname) => `openssl s_client -quiet -connect ${to}${hostname === '' ? '' : ` -servername ${hostname}`}${trust}`,
      )
    }
  }
}

/** Names that the listener's routes take, each once; a wildcard stands for one of its names. */
function hostnamesOf({ streams }: GatewayConfig, { key, hostname }: ListenerConfig): readonly string[] {
  const attached = streams.flatMap(({ attachments }) => attachments.filter(({ listener }) => listener === key))
  const common = attached.flatMap(({ hostnames }) => hostnames.flatMap((own) => intersection(hostname, own) ?? []))
  return [...new Set(common.map((name) => (isWildcard(name) ? `www${name.slice(1)}` : name)))]
}
