/** `namespace/name:port=host:port`: a port of a Service that something on this machine (or elsewhere) answers for. */

export interface ServiceMapping {
  readonly namespace: string
  readonly name: string
  readonly port: number
  readonly target: { readonly host: string; readonly port: number }
}

/** Parses the form of `--service`. Throws an Error that says what must stand where. */
export function parseServiceMapping(text: string): ServiceMapping {
  const at = text.indexOf('=')
  if (at < 0) throw new Error(`Cannot map a Service: the mapping must be namespace/name:port=host:port, got ${text}`)
  return { ...parseServicePort(text.slice(0, at)), target: parseTarget(text.slice(at + 1)) }
}

/** `namespace/name:port` */
export function parseServicePort(text: string): { readonly namespace: string; readonly name: string; readonly port: number } {
  const match = /^([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\/([a-z0-9](?:[-a-z0-9]*[a-z0-9])?):(\d+)$/.exec(text)
  const [, namespace, name, port] = match ?? []
  if (namespace === undefined || name === undefined || port === undefined)
    throw new Error(`Cannot map a Service: the Service must be namespace/name:port, got ${text}`)
  return { namespace, name, port: parsePort(port) }
}

/** `host:port`, an IPv6 address in brackets. */
export function parseTarget(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/\s]+)):(\d+)$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3]
  if (host === undefined || port === undefined) throw new Error(`Cannot map a Service: the target must be host:port, got ${text}`)
  return { host, port: parsePort(port) }
}

export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw new Error(`Cannot read a port: it must be a number from 1 to 65535, got ${text}`)
  return port
}
