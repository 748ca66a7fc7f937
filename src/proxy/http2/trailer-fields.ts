/** What is sent behind a head in HTTP/2. */
import { isTrailer } from '../http1/encode-chunk.ts'
import type { FieldList } from '../http1/field-list.ts'

/** Those of the trailers that may be forwarded, names and values by turns; undefined when there are none. */
export function trailerFields(trailers: FieldList | undefined): string[] | undefined {
  if (trailers === undefined) return undefined
  const fields: string[] = []
  for (const [name, value] of trailers.entries()) {
    const lower = name.toLowerCase()
    if (isTrailer(lower)) fields.push(lower, value)
  }
  return fields.length > 0 ? fields : undefined
}
