/** Classes of bytes, one table look-up for each byte of a head. Grammar: RFC 9110 section 5.6.2 and 5.5, RFC 3986 section 3. */

/** tchar: methods and field names. */
export const TOKEN = 1
/** HTAB, SP, VCHAR and obs-text: what may stand in a field value. */
export const VALUE = 2
/** 0x21-0x7E without `#`, and bytes >= 0x80, which are percent-encoded before they are forwarded. */
export const TARGET = 4
/** unreserved and sub-delims: what a reg-name holds beside percent-triples. */
export const REG_NAME = 8

export const CR = 13
export const LF = 10
export const HTAB = 9
export const SP = 32
export const COLON = 58

export const BYTE_CLASS: Uint8Array = classes()
/** A-Z to a-z, everything else to itself. */
export const LOWER: Uint8Array = lowered()
/** Value of a hexadecimal digit, 255 for other bytes. */
export const HEX_VALUE: Uint8Array = hexValues()

function classes(): Uint8Array {
  const table = new Uint8Array(256)
  for (let byte = 0x20; byte < 256; byte++) {
    if (byte === 0x7f) continue
    const character = String.fromCharCode(byte)
    let bits = VALUE
    if (byte !== SP && character !== '#') bits |= TARGET
    if (/[-!#$%&'*+.^_`|~0-9A-Za-z]/.test(character)) bits |= TOKEN
    if (/[-._~0-9A-Za-z!$&'()*+,;=]/.test(character)) bits |= REG_NAME
    table[byte] = bits
  }
  table[HTAB] = VALUE
  return table
}

function lowered(): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte))
}

function hexValues(): Uint8Array {
  const table = new Uint8Array(256).fill(255)
  for (let value = 0; value < 16; value++) {
    const digit = value.toString(16)
    table[digit.charCodeAt(0)] = value
    table[digit.toUpperCase().charCodeAt(0)] = value
  }
  return table
}
