/** What the load on streams and the proxies before it agree on. */

/** Ports of the backend: echoes; says what it heard once and ends; echoes datagrams. */
export const backendPorts = { echo: 19311, once: 19312, udp: 19313 } as const

/** Ports of one proxy, each leading to one of the backend's; 'hello' passes TLS through by server name. */
export interface StreamPorts {
  readonly echo: number
  readonly once: number
  readonly hello: number
  readonly udp: number
}

export const serverName = 'stream.example.com'
/** Bytes. */
export const messageSize = 64 * 1024
export const datagramSize = 100
