/** IP addresses in text (RFC 4291 section 2.2, RFC 6943 section 3.1.1: no leading zeros), without a zone. */

export interface IpAddress {
  readonly version: 4 | 6
  /** The 32 or 128 bits. */
  readonly bits: bigint
}

const DECIMAL = /^(?:0|[1-9][0-9]{0,2})$/
const HEXADECIMAL = /^[0-9a-fA-F]{1,4}$/

/** Undefined for what is no address. An IPv4-mapped IPv6 address stays one of version 6. */
export function parseIp(text: string): IpAddress | undefined {
  if (text.includes(':')) {
    const bits = parseVersion6(text)
    return bits === undefined ? undefined : { version: 6, bits }
  }
  const bits = parseVersion4(text)
  return bits === undefined ? undefined : { version: 4, bits }
}

export function isIp(text: string): boolean {
  return parseIp(text) !== undefined
}

/** Whether the address is one of this machine alone: 127.0.0.0/8, also mapped into version 6, and ::1. */
export function isLoopback(text: string): boolean {
  const ip = parseIp(text)
  if (ip === undefined) return false
  if (ip.version === 4) return ip.bits >> 24n === 127n
  return ip.bits === 1n || ip.bits >> 24n === 0xffff7fn
}

/** Lower case without leading zeros, the longest run of zero groups as `::` (RFC 5952, section 4); never with a dotted quad at its end. */
export function formatIp({ version, bits }: IpAddress): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join('.')
  const text = [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) => ((bits >> shift) & 0xffffn).toString(16)).join(':')
  // Of equally long runs the first one; a single group is none.
  const [longest] = (text.match(/(?<![^:])0(?::0)+(?![^:])/g) ?? []).toSorted((one, other) => other.length - one.length)
  return longest === undefined ? text : `:${text}:`.replace(`:${longest}:`, '::').replaceAll(/^:(?!:)|(?<!:):$/g, '')
}

/** The address of version 4 that is mapped into one of version 6 (RFC 4291, section 2.5.5.2); any other one as it is. */
export function unmapped(ip: IpAddress): IpAddress {
  return ip.version === 6 && ip.bits >> 32n === 0xffffn ? { version: 4, bits: ip.bits & 0xffffffffn } : ip
}

/** The other way round: always of version 6. */
export function mapped(ip: IpAddress): IpAddress {
  return ip.version === 4 ? { version: 6, bits: (0xffffn << 32n) | ip.bits } : ip
}

function parseVersion4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let bits = 0n
  for (const part of parts) {
    if (!DECIMAL.test(part) || Number(part) > 255) return undefined
    bits = (bits << 8n) | BigInt(part)
  }
  return bits
}

function parseVersion6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map(groups)
  if (!head) return undefined
  if (halves.length === 1) return head.length === 8 ? join(head) : undefined
  // "::" stands for at least one group of zeros.
  if (!tail || head.length + tail.length > 7) return undefined
  // A dotted quad may end the address only.
  if (halves[0]?.includes('.')) return undefined
  return join([...head, ...Array<bigint>(8 - head.length - tail.length).fill(0n), ...tail])
}

/** Groups of 16 bits; a dotted quad at the end counts as two. */
function groups(text: string): bigint[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const result: bigint[] = []
  for (const [index, part] of parts.entries()) {
    if (HEXADECIMAL.test(part)) {
      result.push(BigInt(`0x${part}`))
      continue
    }
    const quad = index === parts.length - 1 ? parseVersion4(part) : undefined
    if (quad === undefined) return undefined
    result.push(quad >> 16n, quad & 0xffffn)
  }
  return result
}

function join(parts: readonly bigint[]): bigint {
  return parts.reduce((bits, part) => (bits << 16n) | part, 0n)
}
