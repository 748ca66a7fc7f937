/** For each listener of streams that has a route a line that reaches it as printed: `nc`, or `openssl s_client` for a server name. */
import type { GatewayConfig } from '../config/config.ts'
import type { ListenerConfig } from '../config/listener.ts'
import { hostPort } from '../lib/host-port.ts'
import { intersection, isWildcard } from '../lib/hostname.ts'
import { transportOf } from '../lib/transport.ts'
import { reachable, shellWord } from './shell.ts'
import type { View } from './serving.ts'

interface Place {
  readonly address: string
  readonly listenPort: number
}

export function streamLines(view: View, caCertificate: string | undefined): readonly string[] {
  return view.here.configs.flatMap((config) => {
    const places = view.served.get(config.gateway)?.ports ?? []
    return config.listeners.flatMap((listener) => {
      const place = places.find(({ port, transport }) => port === listener.port && transport === transportOf(listener.protocol))
      return place === undefined ? [] : linesFor(config, listener, place, caCertificate)
    })
  })
}

function linesFor(config: GatewayConfig, listener: ListenerConfig, place: Place, caCertificate: string | undefined): readonly string[] {
  const hostnames = hostnamesOf(config, listener)
  if (hostnames.length === 0) return []
  const address = reachable(place.address)
  switch (listener.protocol) {
    case 'HTTP':
    case 'HTTPS':
      return []
    case 'TCP':
      return [`nc ${address} ${place.listenPort}`]
    case 'UDP':
      return [`nc -u ${address} ${place.listenPort}`]
    case 'TLS': {
      const trust = caCertificate === undefined ? '' : ` -CAfile ${shellWord(caCertificate)}`
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
