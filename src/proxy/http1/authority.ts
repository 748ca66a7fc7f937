/** `uri-host[:port]` (RFC 3986 section 3.2, RFC 9110 section 7.2) as it comes in Host, in absolute targets and in :authority. */
import { BYTE_CLASS, COLON, HEX_VALUE, REG_NAME } from './byte-class.ts'

export interface Authority {
  /** Lower case, without port and without one final dot: what routing matches. */
  readonly host: string
  /** -1 when there is none, an empty one included. */
  readonly port: number
}

const PERCENT = 0x25
const IP_LITERAL = /^\[(?:([0-9A-Fa-f:.]+)|[vV][0-9A-Fa-f]+\.[-._~0-9A-Za-z!$&'()*+,;=:]+)\]$/
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

/** undefined when `text` is no authority with a host. An empty port, upper case, one final dot and `_` are accepted. */
export function parseAuthority(text: string): Authority | undefined {
  let upper = false
  let i = 0
  const length = text.length
  if (text.charCodeAt(0) === 0x5b) {
    i = text.indexOf(']') + 1
    if (i === 0 || !isIpLiteral(text.slice(0, i))) return undefined
    upper = true
  } else {
    for (; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code === COLON) break
      if (code === PERCENT) {
        if (HEX_VALUE[text.charCodeAt(i + 1) & 255] === 255 || HEX_VALUE[text.charCodeAt(i + 2) & 255] === 255 || i + 2 >= length)
          return undefined
        i += 2
        upper = true
      } else if (code > 255 || ((BYTE_CLASS[code] as number) & REG_NAME) === 0) return undefined
      else if (code >= 0x41 && code <= 0x5a) upper = true
    }
  }
  let port = -1
  if (i < length) {
    port = portAt(text, i)
    if (port === -2) return undefined
  }
  let hostEnd = i
  if (text.charCodeAt(hostEnd - 1) === 0x2e) hostEnd--
  if (hostEnd === 0 || text.charCodeAt(hostEnd - 1) === 0x2e) return undefined
  const host = hostEnd === length ? text : text.slice(0, hostEnd)
  return { host: upper ? host.toLowerCase() : host, port }
}

/** Equal after lower-casing and removing the scheme's default port (RFC 9110 section 4.2.3). */
export function isSameAuthority(a: Authority, b: Authority, scheme: 'http' | 'https'): boolean {
  const standard = scheme === 'http' ? 80 : 443
  return a.host === b.host && (a.port < 0 ? standard : a.port) === (b.port < 0 ? standard : b.port)
}

/** The port behind text[at], which must be a colon: -1 when empty, -2 when it is none. */
function portAt(text: string, at: number): number {
  if (text.charCodeAt(at) !== COLON || text.length - at > 6) return -2
  if (text.length === at + 1) return -1
  let port = 0
  for (let i = at + 1; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return -2
    port = port * 10 + digit
  }
  return port <= 65_535 ? port : -2
}

function isIpLiteral(text: string): boolean {
  const match = IP_LITERAL.exec(text)
  if (match === null) return false
  return match[1] === undefined || isIpv6(match[1])
}

/** RFC 4291 section 2.2: eight groups, one `::` for at least one of them, the last two as an IPv4 address or not. */
function isIpv6(text: string): boolean {
  let groups = text
  let wanted = 8
  const dot = text.indexOf('.')
  if (dot >= 0) {
    const cut = text.lastIndexOf(':')
    if (!IPV4.test(text.slice(cut + 1))) return false
    groups = text.slice(0, cut + 1) + '0'
    wanted = 7
  }
  const halves = groups.split('::')
  if (halves.length > 2) return false
  const parts = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  if (!parts.every((part) => /^[0-9A-Fa-f]{1,4}$/.test(part))) return false
  return halves.length === 2 ? parts.length < wanted : parts.length === wanted
}
