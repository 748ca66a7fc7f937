/** The subject alternative names of a certificate, out of the text that node:crypto makes of them, and whether one matches a name. */

export interface AlternativeNames {
  /** Lower case; a wildcard may lead. */
  readonly dns: readonly string[]
  readonly uris: readonly string[]
}

/** `DNS:a.example, URI:"with, a comma"`: node quotes as JSON what could be taken for a separator. */
const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy

export function alternativeNames(text: string | undefined): AlternativeNames {
  const dns: string[] = []
  const uris: string[] = []
  for (const [, type, value = ''] of (text ?? '').matchAll(ENTRY)) {
    const plain = value.startsWith('"') ? (JSON.parse(value) as string) : value
    if (type === 'DNS') dns.push(plain.toLowerCase())
    if (type === 'URI') uris.push(plain)
  }
  return { dns, uris }
}

/** RFC 9525 section 6.3: a wildcard is the whole leftmost label, and stands for exactly one. @param name lower case */
export function matchesDnsName(pattern: string, name: string): boolean {
  if (pattern === name) return true
  if (!pattern.startsWith('*.')) return false
  const dot = name.indexOf('.')
  return dot > 0 && name.slice(dot) === pattern.slice(1)
}
