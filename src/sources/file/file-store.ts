/**
 * The files as they were last read, and which of them to read again.
 *
 * A file is read when its size and time have stood still for 20 ms, so that nobody's half a save is served. One that
 * became empty, or went away, may be in the middle of a save too: it is looked at a second time before its objects go.
 * So may a folder that was given: while it is away its files are kept, and half a second longer those that are not (yet) in what took its place.
 * Time is an argument; whoever watches decides when to look.
 */
import { realpathSync, statSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import type { FileError } from './file-error.ts'
import type { ListedFile, Listing } from './listing.ts'
import { listFiles, stampOf } from './listing.ts'
import { readText, sourceFile } from './source-file.ts'
import type { SourceFile } from './source-file.ts'

export const SETTLED_MS = 20
export const REMOVED_MS = 60
export const EMPTIED_MS = 500

type Named = Pick<ListedFile, 'path' | 'root' | 'real' | 'isAlone'>

interface Held {
  readonly listed: Named
  readonly stamp: string
  readonly file: SourceFile | undefined
  readonly problem: FileError | undefined
}

/** A file that looks different from what is held; `stamp` is GONE for one that is not there. */
interface Doubt {
  readonly listed: Named
  readonly stamp: string
  readonly since: number
  readonly until: number
}

const GONE = 'gone'

interface Root {
  readonly state: string
  readonly since: number
}

export class FileStore {
  readonly #paths: readonly string[]
  #held = new Map<string, Held>()
  readonly #doubts = new Map<string, Doubt>()
  /** By path that was given: since when nothing is there. */
  #away = new Map<string, number>()
  /** By path of a folder that was given: which one it is and whether it is empty, and since when. */
  #roots = new Map<string, Root>()
  /** Why what could not be listed: what went away only a moment ago may be in the middle of a replacement. */
  #told: ReadonlyMap<string, FileError> = new Map()
  #listing: Listing = { files: [], folders: new Map(), problems: new Map() }

  /** `paths` without standard input. */
  constructor(paths: readonly string[]) {
    this.#paths = paths
  }

  /** In the order of the paths given. */
  get files(): readonly SourceFile[] {
    return [...this.#held.values()].map(({ file }) => file).filter((file) => file !== undefined)
  }

  get folders(): ReadonlyMap<string, string> {
    return this.#listing.folders
  }

  /** Files to watch by themselves. */
  get loners(): readonly string[] {
    return [...this.#held.values()].filter(({ listed }) => listed.isAlone).map(({ listed }) => listed.path)
  }

  get problems(): readonly FileError[] {
    return [...this.#told.values(), ...[...this.#held.values()].map(({ problem }) => problem).filter((problem) => problem !== undefined)]
  }

  /** Why a path that was given cannot be read at all. */
  problemOf(path: string): FileError | undefined {
    return this.#listing.problems.get(path)
  }

  holds(path: string): boolean {
    return this.#held.has(path)
  }

  /** When to call `settle`, in the milliseconds of `now`; undefined when nothing is in doubt. */
  get due(): number | undefined {
    let due = Infinity
    for (const { until } of this.#doubts.values()) due = Math.min(due, until)
    for (const [path, since] of this.#away) if (!this.#told.has(path)) due = Math.min(due, since + REMOVED_MS)
    return due === Infinity ? undefined : due
  }

  /** Reads everything at once, without waiting for anything to settle: for the start. */
  readAll(): void {
    this.#listing = listFiles(this.#paths)
    this.#told = this.#listing.problems
    this.#roots = this.#rootsAt(-Infinity)
    this.#held = new Map(this.#listing.files.map((listed) => [listed.path, read(listed, listed.stamp, undefined)]))
  }

  /** Looks at all files; true when what is held has changed. */
  look(now: number): boolean {
    const before = this.#told
    this.#listing = listFiles(this.#paths)
    this.#told = this.#toTell(now)
    const listed = new Map(this.#listing.files.map((file) => [file.path, file]))
    this.#roots = this.#rootsAt(now)
    let changed = !sameKeys(before, this.#told)
    for (const file of this.#listing.files) changed = this.#compare(file, file.stamp, file.modified, now) || changed
    for (const { listed: file } of this.#held.values()) {
      if (listed.has(file.path)) continue
      if (this.#isOutOfSight(file)) this.#doubts.delete(file.path)
      else changed = this.#compare(file, GONE, now, now, this.#patience(file, now)) || changed
    }
    for (const path of this.#doubts.keys()) if (!listed.has(path) && !this.#held.has(path)) this.#doubts.delete(path)
    this.#held = inOrder(this.#held, this.#listing.files)
    return changed
  }

  /** Looks at one file that is held; true when what is held has changed. */
  lookAt(path: string, now: number): boolean {
    const held = this.#held.get(path)
    if (!held) return false
    const { stamp, modified } = stampAt(path, now)
    if (stamp !== GONE) return this.#compare(held.listed, stamp, modified, now)
    // Whether the folder is there that it was in, only a look at everything tells.
    return this.#doubts.get(path)?.stamp === GONE ? false : this.#doubt(held.listed, GONE, now, now + REMOVED_MS)
  }

  /** Looks again at what was in doubt; true when what is held has changed. */
  settle(now: number): boolean {
    let changed = false
    let isIncomplete = [...this.#away].some(([path, since]) => !this.#told.has(path) && isOver(since, REMOVED_MS, now))
    for (const { listed, since, until } of this.#doubts.values()) {
      // A clock that was set back must not keep a file in doubt.
      if (until > now && since <= now) continue
      const { stamp, modified } = stampAt(listed.path, now)
      if (stamp === GONE) isIncomplete = true
      else changed = this.#compare(listed, stamp, modified, now) || changed
    }
    return isIncomplete ? this.look(now) || changed : changed
  }

  /** @param wait milliseconds to stand still */
  #compare(listed: Named, stamp: string, modified: number, now: number, wait = SETTLED_MS): boolean {
    const { path } = listed
    const held = this.#held.get(path)
    if (held?.stamp === stamp || (!held && stamp === GONE)) {
      this.#doubts.delete(path)
      return false
    }
    const doubt = this.#doubts.get(path)
    const since = doubt?.stamp === stamp && doubt.since <= now ? doubt.since : now
    const isSettled = now - since >= wait || (stamp !== GONE && modified <= now - wait)
    if (!isSettled) return this.#doubt(listed, stamp, since, since + wait)
    if (stamp === GONE) this.#held.delete(path)
    else {
      const next = read(listed, stamp, held)
      const becameEmpty = next.file?.documents.length === 0 && (held?.file?.documents.length ?? 0) > 0
      if (becameEmpty && now - since < EMPTIED_MS) return this.#doubt(listed, stamp, since, since + EMPTIED_MS)
      this.#held.set(path, next)
    }
    this.#doubts.delete(path)
    return true
  }

  /** Milliseconds before a file that is gone is let go. */
  #patience({ path, root }: Named, now: number): number {
    const since = this.#doubts.get(path)?.since ?? now
    const replaced = this.#roots.get(root)?.since ?? -Infinity
    return Math.max(REMOVED_MS, Math.min(replaced, now) + EMPTIED_MS - since)
  }

  #rootsAt(now: number): Map<string, Root> {
    const { files, folders } = this.#listing
    const filled = new Set(files.map(({ root }) => root))
    const roots = new Map<string, Root>()
    for (const path of this.#paths) {
      const state = `${folders.get(path)} ${filled.has(path) ? 'filled' : 'empty'}`
      const before = this.#roots.get(path)
      roots.set(path, before?.state === state ? before : { state, since: now })
    }
    return roots
  }

  #toTell(now: number): ReadonlyMap<string, FileError> {
    const { problems } = this.#listing
    const away = this.#paths.filter((path) => problems.get(path)?.code === 'no-such-path')
    this.#away = new Map(away.map((path) => [path, Math.min(this.#away.get(path) ?? now, now)]))
    return new Map([...problems].filter(([path]) => isOver(this.#away.get(path) ?? -Infinity, REMOVED_MS, now)))
  }

  #doubt(listed: Named, stamp: string, since: number, until: number): false {
    this.#doubts.set(listed.path, { listed, stamp, since, until })
    return false
  }

  /** A folder that cannot be listed, and a path given that is not there, say nothing about the files that were in it. */
  #isOutOfSight({ path }: Named): boolean {
    return [...this.#listing.problems.keys()].some(
      (problem) => path === problem || path.startsWith(problem.endsWith(sep) ? problem : problem + sep),
    )
  }
}

function read(listed: Named, stamp: string, held: Held | undefined): Held {
  const { path, root, isAlone } = listed
  const text = readText(path)
  const real = isAlone ? realOf(path) : listed.real
  if (typeof text !== 'string') return { listed, stamp, file: held?.file, problem: text }
  const isSame = text !== '' && text === held?.file?.text && real === held.file.real
  return { listed, stamp, file: isSame ? held.file : sourceFile(path, root, text, held?.file, real), problem: undefined }
}

/** Whether so many milliseconds have passed; with a clock that was set back they have. */
function isOver(since: number, wait: number, now: number): boolean {
  return now >= since + wait || now < since
}

/** A link may lead elsewhere by now. */
function realOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}

function stampAt(path: string, now: number): { readonly stamp: string; readonly modified: number } {
  try {
    const stats = statSync(path)
    return { stamp: stampOf(stats), modified: stats.mtimeMs }
  } catch {
    return { stamp: GONE, modified: now }
  }
}

function inOrder(held: ReadonlyMap<string, Held>, files: readonly ListedFile[]): Map<string, Held> {
  const ordered = new Map<string, Held>()
  for (const { path } of files) {
    const entry = held.get(path)
    if (entry) ordered.set(path, entry)
  }
  // Files that went away but are still held, until it is sure.
  for (const [path, entry] of held) ordered.set(path, entry)
  return ordered
}

function sameKeys(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...a.keys()].every((key) => b.has(key))
}
