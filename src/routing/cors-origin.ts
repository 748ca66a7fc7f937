/**
 * CORSOrigin: which origins a pattern covers. Scheme and host have no case, a port that is left out is the scheme's own,
 * and `*` in the host covers any number of labels, on its own all hosts (HTTPCORSFilter.allowOrigins).
 */
import type { Problem } from './problem.ts'

interface Origin {
  readonly scheme: string
  readonly host: string
  readonly port: number
}

const serialized = /^(https?):\/\/([^/?#@:[\]\s,]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i
/** What may be repeated in an answer. `null` is an origin too. */
const plainText = /^[\x21-\x2b\x2d-\x7e]+$/

/** Whether an Origin field, as sent, is one of these. */
export function compileOrigins(patterns: readonly string[]): ((origin: string) => boolean) | Problem {
  if (patterns.includes('*')) return (origin) => plainText.test(origin)
  const exact = new Set<string>()
  const wildcards: Origin[] = []
  for (const pattern of patterns) {
    const origin = parseOrigin(pattern)
    if (origin === undefined || origin.host.lastIndexOf('*') > 0)
      return { problem: `Cannot serve CORS: an origin must be "*" or scheme://host[:port], got ${JSON.stringify(pattern)}` }
    if (origin.host.includes('*')) wildcards.push(origin)
    else exact.add(keyOf(origin))
  }
  return (text) => {
    const origin = parseOrigin(text)
    if (origin === undefined) return false
    return exact.has(keyOf(origin)) || wildcards.some((pattern) => covers(pattern, origin))
  }
}

function parseOrigin(text: string): Origin | undefined {
  const [, scheme = '', host = '', port] = serialized.exec(text.toLowerCase()) ?? []
  if (scheme === '') return undefined
  return { scheme, host, port: port === undefined ? (scheme === 'https' ? 443 : 80) : Number(port) }
}

function keyOf({ scheme, host, port }: Origin): string {
  return `${scheme}://${host}:${port}`
}

/** A wildcard stands for at least one character, so `*.example.com` leaves `example.com` out. It is the first one of the host (CORSOrigin). */
function covers(pattern: Origin, { scheme, host, port }: Origin): boolean {
  const suffix = pattern.host.slice(1)
  return scheme === pattern.scheme && port === pattern.port && host.length > suffix.length && host.endsWith(suffix)
}
