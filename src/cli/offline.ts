/** What the offline commands share: read once, from files or from a cluster, and translate once. */
import type { Snapshot } from '../cluster/snapshot.ts'
import type { FileRead } from '../sources/file/assembly.ts'
import { FileError } from '../sources/file/file-error.ts'
import { readOnce } from '../sources/file/read-once.ts'
import { translate } from '../translate/translate.ts'
import type { Translation } from '../translate/translation.ts'
import { assumingServed } from './assuming-served.ts'
import { fileOptions, namesCluster, type SourceFlags, translateOptions } from './flags.ts'
import { SnapshotFeed } from './snapshot-feed.ts'
import { UserError } from './user-error.ts'

export interface Offline {
  /** Of a cluster: without files, so that nothing in it has a place in one. */
  readonly read: FileRead
  readonly snapshot: Snapshot
  readonly translation: Translation
  /** Nothing lies elsewhere: what is not there is missing. */
  readonly isWhole: boolean
}

export async function translateOffline(
  paths: readonly string[],
  flags: SourceFlags,
  unknownVariables: 'localhost' | 'keep',
): Promise<Offline> {
  return namesCluster(flags) ? await ofCluster(paths, flags) : ofFiles(paths, flags, unknownVariables)
}

function ofFiles(paths: readonly string[], flags: SourceFlags, unknownVariables: 'localhost' | 'keep'): Offline {
  const read = asUserError(() => readOnce(fileOptions(paths, flags, unknownVariables)))
  const snapshot = assumingServed(new SnapshotFeed().follow(read.objects))
  return { read, snapshot, translation: translate(snapshot, translateOptions(flags)).translation, isWhole: false }
}

/** Loaded only here: the client of the API server is large. */
async function ofCluster(paths: readonly string[], flags: SourceFlags): Promise<Offline> {
  if (paths.length > 0) {
    throw new UserError(`Cannot look at both: name files, or a cluster with --kubeconfig or --context, got ${paths[0]} and a cluster`, 2)
  }
  const { readCluster } = await import('./read-cluster.ts')
  const { objects, findings, snapshot, translation } = await readCluster(flags, translateOptions(flags))
  const read: FileRead = { objects, findings, foreign: [], certificates: [], files: [], locate: () => undefined }
  return { read, snapshot, translation, isWhole: true }
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
