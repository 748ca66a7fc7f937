/**
 * The one normal form of a request's path: it is made once, and the same string is matched and forwarded, so that gateway
 * and backend cannot read two different paths (RFC 3986 section 6.2.2, without what would change the meaning).
 */

/**
 * Decodes percent-triples of unreserved characters, upper-cases the other triples, resolves `.` and `..` segments. Keeps
 * `%2F`, `%5C`, `%25`, `;`, `+`, double slashes and bytes that are no UTF-8. `path` begins with `/` (or is `*`) and holds no query.
 * undefined (a 400) for a broken triple, `%00`, and `..` above the root.
 */
export function normalPath(path: string): string | undefined {
  const decoded = path.includes('%') ? decodeUnreserved(path) : path
  // Only behind a slash can a dot begin a dot segment.
  return decoded?.includes('/.') === true ? withoutDotSegments(decoded) : decoded
}

function decodeUnreserved(path: string): string | undefined {
  let out = ''
  let from = 0
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', at + 3)) {
    const high = hexDigit(path.charCodeAt(at + 1))
    const low = hexDigit(path.charCodeAt(at + 2))
    const code = high * 16 + low
    if (high < 0 || low < 0 || code === 0) return undefined
    out += path.slice(from, at) + (isUnreserved(code) ? String.fromCharCode(code) : path.slice(at, at + 3).toUpperCase())
    from = at + 3
  }
  return out + path.slice(from)
}

/** RFC 3986 section 5.2.4, but `..` above the root is an error instead of the root. */
function withoutDotSegments(path: string): string | undefined {
  const kept: string[] = []
  const segments = path.split('/')
  const last = segments.length - 1
  for (let i = 1; i <= last; i++) {
    const segment = segments[i] ?? ''
    if (segment === '..' && kept.pop() === undefined) return undefined
    if (segment !== '.' && segment !== '..') kept.push(segment)
    // `/a/.` and `/a/b/..` name the folder: the slash stays.
    else if (i === last) kept.push('')
  }
  return '/' + kept.join('/')
}

/** -1 when it is none; NaN, behind the end of the text, too. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** ALPHA, DIGIT, `-`, `.`, `_`, `~` (RFC 3986 section 2.3). */
function isUnreserved(code: number): boolean {
  const letter = code | 0x20
  if ((letter >= 0x61 && letter <= 0x7a) || (code >= 0x30 && code <= 0x39)) return true
  return code === 0x2d || code === 0x2e || code === 0x5f || code === 0x7e
}
