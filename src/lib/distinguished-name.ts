/** Names of certificates' subjects, from the lines that node:crypto makes of them to the one string of RFC 4514. */

/**
 * The last relative name first, joined by commas (RFC 4514, section 2.1), e.g. `CN=somebody,O=Example`. It is printable ASCII
 * without `"` and `\"`: what is no ASCII and what would end a quoted string is written as pairs of hexadecimal digits.
 * @param subject `X509Certificate.subject`: `O=Example\nCN=somebody`, relative names of several values joined by ` + `, specials behind a `\`
 */
export function distinguishedName(subject: string): string {
  return subject.split('\n').reverse().map(relativeName).join(',')
}

/** An escaped character, the sign between two values, or what a header's quoted string cannot hold. */
const special = /\\(.)| (\+) |[^ -~]/gu

function relativeName(line: string): string {
  return line.replace(special, (found: string, escaped?: string, plus?: string) => {
    if (plus !== undefined) return plus
    if (escaped === undefined) return pairs(found)
    return escaped === '"' || escaped === '\\' || !isPrintable(escaped) ? pairs(escaped) : found
  })
}

function isPrintable(character: string): boolean {
  return character >= ' ' && character <= '~'
}

/** RFC 4514, section 2.4: each byte of UTF-8 as `\` and two digits. */
function pairs(character: string): string {
  return [...new TextEncoder().encode(character)].map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}
