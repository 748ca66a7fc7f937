/** What the offline commands share: read once, translate once, everything taken for granted that only a running gateway could say. */
import { ObservedSnapshot } from '../cluster/observed-snapshot.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import type { FileRead } from '../sources/file/assembly.ts'
import { FileError } from '../sources/file/file-error.ts'
import { readOnce } from '../sources/file/read-once.ts'
import { translate } from '../translate/translate.ts'
import type { Translation } from '../translate/translation.ts'
import { fileOptions, type SourceFlags, translateOptions } from './flags.ts'
import { SnapshotFeed } from './snapshot-feed.ts'
import { UserError } from './user-error.ts'

export interface Offline {
  readonly read: FileRead
  readonly snapshot: Snapshot
  readonly translation: Translation
}

export function translateOffline(paths: readonly string[], flags: SourceFlags, unknownVariables: 'localhost' | 'keep'): Offline {
  const read = asUserError(() => readOnce(fileOptions(paths, flags, unknownVariables)))
  const snapshot = assumingServed(new SnapshotFeed().follow(read.objects))
  return { read, snapshot, translation: translate(snapshot, translateOptions(flags)).translation }
}

export function assumingServed(snapshot: Snapshot): Snapshot {
  return new ObservedSnapshot(snapshot, { gateways: new Map(), assumeProgrammed: true })
}

/** A folder that is not there is the user's to mend: one line, no stack trace. */
export function asUserError<T>(action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof FileError && error.code === 'nothing-found')
      throw new UserError(`${error.message}. \`gatewright init DIR\` writes a start.`, 1, error)
    if (error instanceof FileError) throw new UserError(`${error.message}.`, 2, error)
    throw error
  }
}
