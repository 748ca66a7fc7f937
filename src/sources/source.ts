/**
 * sources: where objects come from. A folder on a laptop (`file/`) and the API server (`kubernetes/`) are one seam.
 *
 * A source says only "look again" (level, not edge): whoever runs the loop then calls `read()` and gets all objects of
 * this moment, parsed and with defaults. An object that did not change is the same object as in the read before, so
 * that everything behind can compare by identity. Invalid input never leaves the source: its last valid version stays,
 * and a finding tells why. A source knows nothing of what objects mean to each other; that is translate's.
 * Called by cli (composition) and controller (the loop).
 */
import type { Finding } from '../api/finding.ts'
import type { ApiObject } from '../api/object.ts'

export interface Source {
  /** Resolves after the first complete listing. `lookAgain` is called after every change from then on, never during `read`. */
  start(lookAgain: () => void): Promise<void>
  /** All objects of this moment; the same array as before when nothing changed. */
  read(): SourceRead
  stop(): Promise<void>
}

export interface SourceRead {
  /** At most one of each kind, namespace and name. */
  readonly objects: readonly ApiObject[]
  readonly findings: readonly LocatedFinding[]
}

/** Line and column count from 1. */
export interface Location {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** A source that reads files says where; findings of one cause may be about many places. */
export interface LocatedFinding extends Finding {
  readonly at?: Location
  /** The other places that it is about. */
  readonly uses?: readonly Location[]
}

/** One key for each object, the same in every map of this folder. */
export function objectKey(object: {
  readonly kind: string
  readonly metadata: { readonly namespace: string; readonly name: string }
}): string {
  return `${object.kind}/${object.metadata.namespace}/${object.metadata.name}`
}
