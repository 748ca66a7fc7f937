/** A request as a person writes it (`GET https://shop.example/cart?x=1` and header lines), as routing reads it. */
import { normalPath } from '../lib/path-normal.ts'
import { toByteString } from './byte-string.ts'
import type { Problem } from './problem.ts'
import type { RequestView } from './router.ts'

export interface WrittenRequest {
  readonly scheme: 'http' | 'https'
  /** The URL's port, or the scheme's. */
  readonly port: number
  readonly request: RequestView
}

/** Authority, port, path, query; the fragment never leaves the client. No `URL`: it would resolve `%2e` and `\` its own way. */
const absoluteUrl = /^(https?):\/\/([^/?#@:]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(\/[^?#]*)?(?:\?([^#]*))?(?:#.*)?$/i

/** `headers` in the order sent; equal names are joined as the data plane joins them. */
export function writtenRequest(
  method: string,
  url: string,
  headers: readonly (readonly [name: string, value: string])[],
): WrittenRequest | Problem {
  const [, scheme, host = '', port, path = '/', query = ''] = absoluteUrl.exec(url) ?? []
  if (scheme === undefined)
    return { problem: `Cannot read the request: its URL must begin with http:// or https:// and name a host, got ${JSON.stringify(url)}` }
  const normal = normalPath(percentEncoded(path))
  if (normal === undefined)
    return {
      problem: `Cannot route the request: its path must stay below the root and hold whole percent-triples, got ${JSON.stringify(path)}`,
    }
  const fields = new Map<string, string>()
  for (const [name, value] of headers) {
    const before = fields.get(name.toLowerCase())
    fields.set(name.toLowerCase(), before === undefined ? toByteString(value) : `${before}, ${toByteString(value)}`)
  }
  const secure = scheme.toLowerCase() === 'https'
  return {
    scheme: secure ? 'https' : 'http',
    port: port === undefined ? (secure ? 443 : 80) : Number(port),
    request: {
      method,
      host: host.toLowerCase().replace(/\.$/, ''),
      path: normal,
      query: percentEncoded(query),
      header: (name) => fields.get(name),
    },
  }
}

/** As a browser sends what is not ASCII. */
function percentEncoded(text: string): string {
  return toByteString(text).replace(
    /[^\x21-\x7e]/g,
    (character) => '%' + character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0'),
  )
}
