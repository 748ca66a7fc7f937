/**
 * The file source: folders, files and standard input as a source of objects.
 *
 * Follows the files by notifications, and by a poll where these cannot be had. Whatever the files go through, what was
 * good goes on being served until something good replaces it.
 */
import { basename, dirname } from 'node:path'
import { lstatSync } from 'node:fs'
import type { Source } from '../source.ts'
import { Assembler } from './assembly.ts'
import type { FileRead } from './assembly.ts'
import { FileStore } from './file-store.ts'
import { isHidden, isManifestName } from './listing.ts'
import { isRemote, Notifier } from './notifier.ts'
import { nothingFound, problemFinding, namedPaths } from './read-once.ts'
import type { FileOptions } from './read-once.ts'
import type { SourceFile } from './source-file.ts'
import { readStandardInput, STANDARD_INPUT } from './standard-input.ts'
import { entriesOnTheWay, identityAt } from './ways.ts'

export interface FileSourceOptions extends FileOptions {
  /** `auto` (unless given): notifications, and a poll every second where they fail or cannot be trusted; `poll`: only that. */
  readonly watch?: 'auto' | 'poll'
  /** Milliseconds between two polls; 1000 unless given. */
  readonly pollMs?: number
}

const POLL_MS = 1_000
/** Beside notifications, for what they may have missed. */
const SWEEP_MS = 10_000
/** Between two looks whether the paths given lead where they led: links and folders further up have no notification. */
const IDENTITY_MS = 200
/** Several notifications of one save are looked at together. */
const GATHER_MS = 2
/** Among noticed paths: look at everything. */
const ALL = ''
/** What a mounted ConfigMap or Secret replaces to change all its files in one step. */
const MOUNTED_DATA = '..data'

export class FileSource implements Source {
  readonly #options: FileSourceOptions
  /** The paths of the file system among those given. */
  readonly #named: readonly string[]
  readonly #store: FileStore
  readonly #assembler: Assembler
  readonly #notifier: Notifier
  readonly #fixed: SourceFile[] = []
  #lookAgain: () => void = () => {}
  #read: FileRead | undefined
  #isPolling: boolean
  #identity: NodeJS.Timeout | undefined
  #identities = ''
  /** Entries of folders by which the paths given are found. */
  #ways: ReadonlySet<string> = new Set()
  #poll: NodeJS.Timeout | undefined
  #settle: NodeJS.Timeout | undefined
  #gather: NodeJS.Timeout | undefined
  /** Paths that were notified since the last look; ALL stands for a look at everything. */
  readonly #noticed = new Set<string>()
  #isStopped = false

  constructor(options: FileSourceOptions) {
    this.#options = options
    this.#named = namedPaths(options.paths)
    this.#store = new FileStore(this.#named)
    this.#assembler = new Assembler(options)
    this.#isPolling = options.watch === 'poll'
    this.#notifier = new Notifier(
      (path) => this.#notice(path),
      () => this.#pollFromNowOn(),
    )
  }

  /** Throws a FileError when one of the paths cannot be read, or when they hold no file. */
  // oxlint-disable-next-line typescript/require-await -- the seam is asynchronous for sources that ask a server
  async start(lookAgain: () => void): Promise<void> {
    const named = this.#named
    if (this.#options.paths.includes(STANDARD_INPUT)) this.#fixed.push(readStandardInput())
    this.#identities = this.#identitiesNow()
    this.#store.readAll()
    for (const path of named) {
      const problem = this.#store.problemOf(path)
      if (problem) throw problem
    }
    const nothing = nothingFound(named, this.#files())
    if (nothing) throw nothing
    this.#lookAgain = lookAgain
    if (named.length === 0) return
    if (named.some(isRemote)) this.#isPolling = true
    // What was saved between the listing and the first watch has no notification.
    if (this.#watch()) this.#lookAtAll()
    this.#schedulePoll()
    if (!this.#isPolling) this.#identity = setInterval(() => this.#lookAtIdentities(), IDENTITY_MS)
  }

  /** The same value as before when nothing changed. */
  read(): FileRead {
    if (this.#read) return this.#read
    const read = this.#assembler.assemble(this.#files())
    const problems = this.#store.problems.map(problemFinding)
    this.#read = problems.length === 0 ? read : { ...read, findings: [...problems, ...read.findings] }
    return this.#read
  }

  // oxlint-disable-next-line typescript/require-await -- as above
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#notifier.close()
    clearInterval(this.#identity)
    for (const timer of [this.#poll, this.#settle, this.#gather]) clearTimeout(timer)
  }

  #files(): SourceFile[] {
    return [...this.#fixed, ...this.#store.files]
  }

  #watch(): boolean {
    if (this.#options.watch === 'poll') return false
    this.#ways = new Set(this.#named.flatMap(entriesOnTheWay))
    const parents = [...new Set([...this.#ways].map((path) => dirname(path)))]
    return this.#notifier.watch(this.#store.folders, this.#store.loners, parents)
  }

  #lookAtIdentities(): void {
    const now = this.#identitiesNow()
    if (now === this.#identities) return
    this.#identities = now
    this.#lookAtAll()
  }

  #identitiesNow(): string {
    return this.#named.map(identityAt).join()
  }

  #notice(path: string | undefined): void {
    if (this.#isStopped || (path !== undefined && !this.#concerns(path))) return
    this.#noticed.add(path === undefined || basename(path) === MOUNTED_DATA ? ALL : path)
    this.#gather ??= setTimeout(() => {
      this.#gather = undefined
      this.#lookAtNoticed()
    }, GATHER_MS)
  }

  /** Editors and builds write much beside manifests, and the folder of a file that was named by itself may be anybody's. */
  #concerns(path: string): boolean {
    const name = basename(path)
    if (this.#store.holds(path) || this.#ways.has(path) || name === MOUNTED_DATA) return true
    const { folders } = this.#store
    if (!folders.has(dirname(path)) || isHidden(name)) return false
    return isManifestName(name) || folders.has(path) || isFolderOrLink(path)
  }

  #lookAtNoticed(): void {
    const noticed = [...this.#noticed]
    this.#noticed.clear()
    if (noticed.some((path) => !this.#store.holds(path))) {
      this.#lookAtAll()
      return
    }
    const now = Date.now()
    this.#after(noticed.map((path) => this.#store.lookAt(path, now)).includes(true))
    for (const path of noticed) this.#notifier.renew(path)
  }

  #lookAtAll(): void {
    let changed = this.#store.look(Date.now())
    // A new folder may have got files before it was watched.
    while (this.#watch()) changed = this.#store.look(Date.now()) || changed
    this.#after(changed)
  }

  #after(changed: boolean): void {
    this.#scheduleSettle()
    if (!changed) return
    this.#read = undefined
    this.#lookAgain()
  }

  #scheduleSettle(): void {
    clearTimeout(this.#settle)
    const { due } = this.#store
    if (due === undefined || this.#isStopped) return
    this.#settle = setTimeout(() => this.#after(this.#store.settle(Date.now())), Math.max(1, due - Date.now()))
  }

  #pollFromNowOn(): void {
    if (this.#isPolling || this.#isStopped) return
    this.#isPolling = true
    this.#schedulePoll()
  }

  #schedulePoll(): void {
    // One that failed to watch has scheduled a poll while it was about to be scheduled anyway.
    clearTimeout(this.#poll)
    if (this.#isStopped) return
    this.#poll = setTimeout(
      () => {
        this.#lookAtAll()
        this.#schedulePoll()
      },
      this.#isPolling ? (this.#options.pollMs ?? POLL_MS) : SWEEP_MS,
    )
  }
}

function isFolderOrLink(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats !== undefined && (stats.isDirectory() || stats.isSymbolicLink())
}
