/** Ranges of IP addresses (RFC 4632, RFC 4291 section 2.3). */
import { parseIp } from './ip.ts'
import type { IpAddress } from './ip.ts'

export interface Cidr {
  readonly version: 4 | 6
  /** Bits beyond the prefix are zero. */
  readonly bits: bigint
  readonly prefix: number
}

const PREFIX = /^(?:0|[1-9][0-9]{0,2})$/

/** `10.0.0.0/8`, `::1/128`; an address alone is a range of one. Undefined for anything else; bits beyond the prefix are cleared. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  const ip = parseIp(slash < 0 ? text : text.slice(0, slash))
  if (!ip) return undefined
  const width = ip.version === 4 ? 32 : 128
  const length = slash < 0 ? `${width}` : text.slice(slash + 1)
  if (!PREFIX.test(length) || Number(length) > width) return undefined
  const prefix = Number(length)
  const host = BigInt(width - prefix)
  return { version: ip.version, bits: (ip.bits >> host) << host, prefix }
}

export function cidrContains(range: Cidr, ip: IpAddress): boolean {
  if (range.version !== ip.version) return false
  const host = BigInt((range.version === 4 ? 32 : 128) - range.prefix)
  return ip.bits >> host === range.bits >> host
}
