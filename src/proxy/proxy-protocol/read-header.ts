/**
 * Reads a header of the PROXY protocol, version 1 or 2, from the first bytes of a connection.
 *
 * It takes all bytes so far and says whether they suffice; how they were split into reads changes nothing. What is no header, or one of
 * which anything but its end is in doubt, is refused: whoever must send one and does not has something else in mind. TLVs are skipped.
 */
import { formatIp, type IpAddress, parseIp, unmapped } from '../../lib/ip.ts'
import type { End, Ends } from './ends.ts'
import {
  familiesEnd,
  fixedPart,
  ipv4Ends,
  ipv6Ends,
  localCommand,
  longestLine,
  proxyCommand,
  signature,
  tcpOverIpv4,
  tcpOverIpv6,
  transportsEnd,
  word,
} from './format.ts'

export type HeaderResult =
  /** More bytes are needed. */
  | { readonly kind: 'incomplete' }
  | {
      readonly kind: 'header'
      /** Bytes that it takes; what follows is the connection's own. */
      readonly length: number
      /** Undefined: it says nothing of them (LOCAL, UNKNOWN, or what is no TCP over IP), and the connection's own hold. */
      readonly ends: Ends | undefined
    }
  /** Never a header, whatever follows. The reason completes "got …". */
  | { readonly kind: 'refused'; readonly reason: string }

const incomplete: HeaderResult = { kind: 'incomplete' }

/** @param limit bytes that a header of version 2 may take; one of version 1 takes 107 at the most */
export function readHeader(bytes: Buffer, limit: number): HeaderResult {
  if (bytes.length === 0) return incomplete
  const start = bytes[0] === word[0] ? word : signature
  const compared = Math.min(bytes.length, start.length)
  if (bytes.compare(start, 0, compared, 0, compared) !== 0) return refused('something else')
  if (bytes.length < start.length) return incomplete
  return start === word ? readLine(bytes) : readBlock(bytes, limit)
}

function refused(reason: string): HeaderResult {
  return { kind: 'refused', reason }
}

/** Version 1: words between single spaces, up to CRLF. */
function readLine(bytes: Buffer): HeaderResult {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, longestLine))
  const end = text.search(/[\r\n]/)
  if (end < 0 || end + 1 === text.length) {
    if (text[end] === '\n') return refused('a line that ends without CRLF')
    return text.length < longestLine ? incomplete : refused('a line that is too long')
  }
  if (text[end] !== '\r' || text[end + 1] !== '\n') return refused('a line that ends without CRLF')
  const words = text.slice(word.length, end).split(' ')
  const length = end + 2
  // Whatever follows has no meaning.
  if (words[0] === 'UNKNOWN') return { kind: 'header', length, ends: undefined }
  const ends = endsIn(words)
  return ends === undefined ? refused('a malformed line') : { kind: 'header', length, ends }
}

function endsIn([protocol, source = '', destination = '', sourcePort = '', destinationPort = '', ...more]: readonly string[]):
  | Ends
  | undefined {
  const version = protocol === 'TCP4' ? 4 : protocol === 'TCP6' ? 6 : undefined
  const [from, to] = [parseIp(source), parseIp(destination)]
  if (from === undefined || to === undefined || from.version !== version || to.version !== version) return undefined
  if (!isPort(sourcePort) || !isPort(destinationPort) || more.length > 0) return undefined
  return { source: endOf(from, Number(sourcePort)), destination: endOf(to, Number(destinationPort)) }
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535
}

/** Version 2: a fixed part, which says how much follows. */
function readBlock(bytes: Buffer, limit: number): HeaderResult {
  const command = bytes[signature.length]
  const family = bytes[signature.length + 1]
  if (command === undefined) return incomplete
  if (command !== localCommand && command !== proxyCommand) return refused('another version or command')
  if (family === undefined) return incomplete
  // With LOCAL the family is ignored.
  const carries = command === localCommand ? 0 : family
  if (carries >> 4 >= familiesEnd || (carries & 0x0f) >= transportsEnd) return refused('an unassigned family or transport')
  if (bytes.length < fixedPart) return incomplete
  const length = fixedPart + bytes.readUInt16BE(fixedPart - 2)
  const needed = carries === tcpOverIpv4 ? ipv4Ends : carries === tcpOverIpv6 ? ipv6Ends : 0
  if (length < fixedPart + needed) return refused('addresses that are cut off')
  if (length > limit) return refused('a header that is too long')
  if (bytes.length < length) return incomplete
  return { kind: 'header', length, ends: needed === 0 ? undefined : endsAt(bytes, needed) }
}

function endsAt(bytes: Buffer, size: number): Ends {
  const ports = fixedPart + size - 4
  const width = (size - 4) / 2
  return {
    source: endOf(addressAt(bytes, fixedPart, width), bytes.readUInt16BE(ports)),
    destination: endOf(addressAt(bytes, fixedPart + width, width), bytes.readUInt16BE(ports + 2)),
  }
}

function addressAt(bytes: Buffer, at: number, width: number): IpAddress {
  return width === 4
    ? { version: 4, bits: BigInt(bytes.readUInt32BE(at)) }
    : { version: 6, bits: (bytes.readBigUInt64BE(at) << 64n) | bytes.readBigUInt64BE(at + 8) }
}

function endOf(ip: IpAddress, port: number): End {
  return { address: formatIp(unmapped(ip)), port }
}
