/** A time as fields of type MicroTime have it: RFC 3339 with six digits, of which the clock gives three. */
export function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z')
}
