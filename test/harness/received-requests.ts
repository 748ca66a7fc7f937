/**
 * Splits what a backend received into requests. Written apart from the gateway's codec on purpose, and strict in its own
 * way: bytes that it cannot account for stay in `rest`, where a test sees them.
 */

export interface ReceivedRequest {
  /** Byte strings. */
  readonly raw: string
  readonly line: string
  readonly head: string
  /** Without chunk framing. */
  readonly body: string
  readonly trailers: string
  header(name: string): string | undefined
  headers(name: string): string[]
}

export function splitRequests(bytes: string): { readonly requests: ReceivedRequest[]; readonly rest: string } {
  const requests: ReceivedRequest[] = []
  let rest = bytes
  for (;;) {
    const found = firstRequest(rest)
    if (found === undefined) return { requests, rest }
    requests.push(found)
    rest = rest.slice(found.raw.length)
  }
}

function firstRequest(bytes: string): ReceivedRequest | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = bytes.slice(0, headEnd + 2)
  const headers = (name: string): string[] =>
    head
      .split('\r\n')
      .slice(1)
      .filter((line) => line.toLowerCase().startsWith(name.toLowerCase() + ':'))
      .map((line) => line.slice(name.length + 1).trim())
  const body = bodyAt(bytes, headEnd + 4, headers('content-length')[0], headers('transfer-encoding')[0])
  if (body === undefined) return undefined
  return {
    raw: bytes.slice(0, body.end),
    line: head.slice(0, head.indexOf('\r\n')),
    head,
    body: body.text,
    trailers: body.trailers,
    header: (name) => headers(name)[0],
    headers,
  }
}

interface FoundBody {
  readonly text: string
  readonly trailers: string
  readonly end: number
}

function bodyAt(bytes: string, at: number, length: string | undefined, coding: string | undefined): FoundBody | undefined {
  if (coding === undefined) {
    const end = at + Number(length ?? 0)
    return bytes.length < end ? undefined : { text: bytes.slice(at, end), trailers: '', end }
  }
  let text = ''
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.slice(at, lineEnd), 16)
    if (size === 0) {
      const end = bytes.startsWith('\r\n', lineEnd + 2) ? lineEnd + 2 : bytes.indexOf('\r\n\r\n', lineEnd) + 2
      return end < 2 || bytes.length < end + 2 ? undefined : { text, trailers: bytes.slice(lineEnd + 2, end), end: end + 2 }
    }
    at = lineEnd + 2 + size + 2
    if (bytes.length < at) return undefined
    text += bytes.slice(lineEnd + 2, lineEnd + 2 + size)
  }
}
