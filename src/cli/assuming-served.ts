/** For commands that look once: only a running gateway could say what it serves, so everything counts as granted and served. */
import { ObservedSnapshot } from '../cluster/observed-snapshot.ts'
import type { Snapshot } from '../cluster/snapshot.ts'

export function assumingServed(snapshot: Snapshot): Snapshot {
  return new ObservedSnapshot(snapshot, { gateways: new Map(), assumeProgrammed: true })
}
