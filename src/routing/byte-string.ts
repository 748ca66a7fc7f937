/** Text of a configuration as the data plane uses it: latin1 strings whose characters are the UTF-8 bytes. */

const encoder = new TextEncoder()
const ascii = /^[\0-\x7f]*$/
// Everything below space but HTAB, and DEL: none may occur in a field value (RFC 9110, 5.5), and CR, LF and NUL would be an injection.
const forbidden = /[\0-\x08\x0a-\x1f\x7f]/

export function toByteString(text: string): string {
  if (ascii.test(text)) return text
  let bytes = ''
  for (const byte of encoder.encode(text)) bytes += String.fromCharCode(byte)
  return bytes
}

/** Bytes of a byte string, for what reads UTF-8. */
export function bytesOf(byteString: string): Uint8Array {
  const bytes = new Uint8Array(byteString.length)
  for (let i = 0; i < byteString.length; i++) bytes[i] = byteString.charCodeAt(i)
  return bytes
}

export function isAscii(byteString: string): boolean {
  return ascii.test(byteString)
}

/** A field value as a byte string, white space around it removed; undefined when it holds a character that must not be in a head. */
export function toFieldValue(text: string): string | undefined {
  const value = toByteString(text.replace(/^[ \t]+|[ \t]+$/g, ''))
  return forbidden.test(value) ? undefined : value
}
