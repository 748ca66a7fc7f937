/** A body that no other request has: `length` bytes that repeat the token. */
export function filler(token: string, length: number): string {
  return `${token} `.repeat(Math.ceil(length / (token.length + 1))).slice(0, length)
}
