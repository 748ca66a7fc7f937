/**
 * Plain scalars as kubectl reads them (sigs.k8s.io/yaml over go-yaml v2): YAML 1.1 booleans (`yes`, `on`, `n` ...),
 * Go's integer prefixes, no base-60 numbers, and dates stay strings.
 */

const WORDS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
])

const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/
const DATE = /^\d{4}-/
const INTEGER = /^([-+]?)(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9]\d*))$/

export function plainScalar(text: string): string | number | boolean | null {
  const word = WORDS.get(text)
  if (word !== undefined) return word
  const first = text.charCodeAt(0)
  const isDigit = first >= 0x30 && first <= 0x39
  if (!isDigit && first !== 0x2b && first !== 0x2d && first !== 0x2e) return text
  if (first === 0x2e) return FLOAT.test(text) ? Number(text) : text
  if (DATE.test(text)) return text
  const digits = text.includes('_') ? text.replaceAll('_', '') : text
  const whole = INTEGER.exec(digits)
  if (whole) return (whole[1] === '-' ? -1 : 1) * wholeNumber(whole)
  return FLOAT.test(digits) ? Number(digits) : text
}

function wholeNumber([, , hex, binary, octal, decimal]: RegExpExecArray): number {
  if (hex !== undefined) return Number.parseInt(hex, 16)
  if (binary !== undefined) return Number.parseInt(binary, 2)
  return octal !== undefined ? Number.parseInt(octal, 8) : Number(decimal)
}
