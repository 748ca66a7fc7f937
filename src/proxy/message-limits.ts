/** What the bounds mean for the codec. */
import type { Bounds } from '../config/bounds.ts'
import type { BodyLimits, HeadLimits } from './http1/codec.ts'

export function headLimits(bounds: Bounds): HeadLimits {
  return { line: bounds.requestLine, head: bounds.head, fields: bounds.fields }
}

export function bodyLimits(bounds: Bounds): BodyLimits {
  return {
    extension: bounds.chunkExtension,
    extensions: bounds.chunkExtensions,
    trailers: bounds.trailers,
    trailerFields: bounds.trailerFields,
  }
}
