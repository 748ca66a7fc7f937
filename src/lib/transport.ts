/** What carries a listener's protocol: ports of one and of the other are different ports. */
export type Transport = 'TCP' | 'UDP'

/** @param protocol of a listener */
export function transportOf(protocol: string): Transport {
  return protocol === 'UDP' ? 'UDP' : 'TCP'
}

/** To the backends of a route. */
export function transportOfRoute(kind: string): Transport {
  return kind === 'UDPRoute' ? 'UDP' : 'TCP'
}
