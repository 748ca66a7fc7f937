/** One thing that the overlay did so that a manifest works here: shown beside what a cluster would say. */
import type { ObjectRef } from '../api/meta.ts'

export interface Kindness {
  readonly kind: 'gateway-class' | 'address' | 'gateway' | 'certificate' | 'service' | 'echo' | 'mapping'
  /** The object that the manifest has, or lacks. */
  readonly object: ObjectRef
  /** One sentence: what is missing or set aside, and what answers here instead. */
  readonly text: string
}
