/** Writes a header of the PROXY protocol for a connection to a backend. It holds no TLVs. */
import type { ProxyProtocolVersion } from '../../config/stream-route.ts'
import { formatIp, type IpAddress, mapped, parseIp } from '../../lib/ip.ts'
import type { Ends } from './ends.ts'
import { fixedPart, ipv4Ends, ipv6Ends, proxyCommand, signature, tcpOverIpv4, tcpOverIpv6, unspecified } from './format.ts'

/**
 * Ends of two families become two of IPv6, the one of IPv4 mapped: a header has one family. For ends without addresses it says that they
 * are not known.
 */
export function writeHeader(version: ProxyProtocolVersion, { source, destination }: Ends): Buffer {
  const addresses = familyOf(parseIp(withoutZone(source.address)), parseIp(withoutZone(destination.address)))
  return version === 'v1' ? line(addresses, source.port, destination.port) : block(addresses, source.port, destination.port)
}

interface Addresses {
  readonly version: 4 | 6
  readonly source: IpAddress
  readonly destination: IpAddress
}

function familyOf(source: IpAddress | undefined, destination: IpAddress | undefined): Addresses | undefined {
  if (source === undefined || destination === undefined) return undefined
  if (source.version === 4 && destination.version === 4) return { version: 4, source, destination }
  return { version: 6, source: mapped(source), destination: mapped(destination) }
}

/** `fe80::1%eth0`: an interface of this machine means nothing to another one. */
function withoutZone(address: string): string {
  return address.split('%', 1)[0] ?? ''
}

function line(addresses: Addresses | undefined, sourcePort: number, destinationPort: number): Buffer {
  if (addresses === undefined) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1')
  const { version, source, destination } = addresses
  return Buffer.from(`PROXY TCP${version} ${formatIp(source)} ${formatIp(destination)} ${sourcePort} ${destinationPort}\r\n`, 'latin1')
}

function block(addresses: Addresses | undefined, sourcePort: number, destinationPort: number): Buffer {
  const size = addresses === undefined ? 0 : addresses.version === 4 ? ipv4Ends : ipv6Ends
  const bytes = Buffer.alloc(fixedPart + size)
  signature.copy(bytes)
  const family = addresses === undefined ? unspecified : addresses.version === 4 ? tcpOverIpv4 : tcpOverIpv6
  bytes.writeUInt8(proxyCommand, signature.length)
  bytes.writeUInt8(family, signature.length + 1)
  bytes.writeUInt16BE(size, signature.length + 2)
  if (addresses === undefined) return bytes
  const afterSource = writeAddress(bytes, addresses.source, fixedPart)
  const afterBoth = writeAddress(bytes, addresses.destination, afterSource)
  bytes.writeUInt16BE(destinationPort, bytes.writeUInt16BE(sourcePort, afterBoth))
  return bytes
}

/** Returns where it ends. */
function writeAddress(bytes: Buffer, { version, bits }: IpAddress, at: number): number {
  if (version === 4) return bytes.writeUInt32BE(Number(bits), at)
  return bytes.writeBigUInt64BE(bits & 0xffff_ffff_ffff_ffffn, bytes.writeBigUInt64BE(bits >> 64n, at))
}
