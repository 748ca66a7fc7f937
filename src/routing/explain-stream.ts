/**
 * explain, for what is no request: whose a connection or a datagram is, and why no other route's. As for requests a second evaluator,
 * slow and plain, over the same lists as the Router.
 */
import type { ListenerKey } from '../config/listener.ts'
import type { ProxyProtocolVersion, StreamRouteConfig } from '../config/stream-route.ts'
import { covers } from '../lib/hostname.ts'
import type { Transport } from '../lib/transport.ts'
import { describeHostname } from './describe.ts'
import type { BackendShare } from './explain.ts'
import type { CompiledListener, CompiledStream, Router } from './router.ts'

/** Plain data, safe to print as JSON. */
export interface StreamExplanation {
  readonly port: number
  readonly transport: Transport
  /** '' for none. */
  readonly serverName: string
  /** The one that is asked; undefined when none of the port is for the server name. */
  readonly listener: { readonly listener: ListenerKey; readonly hostname: string; readonly takes: 'streams' | 'requests' } | undefined
  /** The other listeners of the port, in a sentence each. */
  readonly misses: readonly { readonly listener: ListenerKey; readonly text: string }[]
  /** undefined: the connection ends at once, a datagram is dropped. */
  readonly winner: StreamWinner | undefined
  /** Every other route of the port, for each of its hostnames where that is what matters. */
  readonly losers: readonly { readonly listener: ListenerKey; readonly route: string; readonly hostname: string; readonly text: string }[]
}

export interface StreamWinner {
  readonly listener: ListenerKey
  readonly route: string
  /** The route's own hostname that covers the server name, '' for any. */
  readonly hostname: string
  /** 'passthrough': TLS is not ended. */
  readonly kind: StreamRouteConfig['kind']
  readonly backends: readonly BackendShare[]
  /** Of the header of the PROXY protocol that its backends get; absent: none. */
  readonly proxyProtocol?: ProxyProtocolVersion
}

/** `port` is the specification's. */
export function explainStream(router: Router, transport: Transport, port: number, serverName: string): StreamExplanation {
  const listeners = (transport === 'UDP' ? router.datagramPorts : router.ports).get(port)?.listeners ?? []
  const chosen = listeners.find(({ config }) => covers(config.hostname, serverName))
  const isHttp = chosen?.config.protocol === 'HTTP' || chosen?.config.protocol === 'HTTPS'
  const candidates = router.streams.flatMap((stream) =>
    stream.config.attachments.flatMap(({ listener: key, hostnames }) => {
      const listener = listeners.find(({ config }) => config.key === key)
      return listener === undefined ? [] : hostnames.map((hostname) => ({ stream, listener, hostname }))
    }),
  )
  const covering = candidates.filter(({ listener, hostname }) => listener === chosen && covers(hostname, serverName))
  // The most specific hostname, and the order of the configuration for the same one.
  const winner = chosen?.streams.map(({ hostname }) => covering.find((one) => one.hostname === hostname)).find((one) => one !== undefined)
  return {
    port,
    transport,
    serverName,
    listener: chosen && { ...nameOf(chosen), takes: isHttp ? 'requests' : 'streams' },
    misses: listeners
      .filter((other) => other !== chosen)
      .map((other) => ({ listener: other.config.key, text: missText(other, chosen, serverName) })),
    winner: winner && describeWinner(winner),
    losers: saidOnce(
      candidates
        .filter(({ stream }) => stream !== winner?.stream)
        .map((loser) => ({
          listener: loser.listener.config.key,
          route: loser.stream.config.key,
          hostname: loser.hostname,
          text: lossText(loser, winner, chosen, serverName),
        })),
    ),
  }
}

/** Why a listener is out of reach is the same for every hostname of a route. */
function saidOnce(losers: StreamExplanation['losers']): StreamExplanation['losers'] {
  const said = new Set<string>()
  return losers.filter(({ route, text }) => !said.has(`${route} ${text}`) && said.add(`${route} ${text}`))
}

interface Candidate {
  readonly stream: CompiledStream
  readonly listener: CompiledListener
  readonly hostname: string
}

function lossText(loser: Candidate, winner: Candidate | undefined, chosen: CompiledListener | undefined, serverName: string): string {
  if (loser.listener !== chosen) return `is out of reach: ${missText(loser.listener, chosen, serverName)}`
  if (winner === undefined || !covers(loser.hostname, serverName))
    return `is for ${describeHostname(loser.hostname)}, not ${serverName === '' ? 'a client without a server name' : serverName}`
  const by = winner.stream.config.key
  if (loser.hostname !== winner.hostname)
    return `fits too, but ${by} is for ${describeHostname(winner.hostname)}, which is more specific than ${describeHostname(loser.hostname)}`
  return `fits too, but ${by} is the older route, or the one first by namespace/name`
}

function missText({ config }: CompiledListener, chosen: CompiledListener | undefined, serverName: string): string {
  const own = `listener ${config.key} is for ${describeHostname(config.hostname)}`
  if (chosen === undefined || !covers(config.hostname, serverName))
    return `${own}, not ${serverName === '' ? 'a client without a server name' : serverName}`
  return `${own}, and ${chosen.config.key} for ${describeHostname(chosen.config.hostname)} is more specific`
}

function nameOf({ config: { key, hostname } }: CompiledListener): { readonly listener: ListenerKey; readonly hostname: string } {
  return { listener: key, hostname }
}

function describeWinner({ stream: { config }, listener, hostname }: Candidate): StreamWinner {
  const total = config.backends.reduce((sum, { weight }) => sum + weight, 0)
  return {
    listener: listener.config.key,
    route: config.key,
    hostname,
    kind: config.kind,
    ...(config.proxyProtocol !== undefined && { proxyProtocol: config.proxyProtocol }),
    backends: config.backends.map((backend) => ({
      kind: backend.kind,
      name: backend.kind === 'pool' ? backend.pool : backend.backend,
      weight: backend.weight,
      share: total === 0 ? 0 : backend.weight / total,
    })),
  }
}
