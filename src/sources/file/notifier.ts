/** Notifications of the file system: one watch for each folder, and for each file that its folder does not speak for. */
import { statfsSync, watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { dirname, join } from 'node:path'
import { identityAt } from './ways.ts'

/** The path that something happened to, or undefined when the system does not say. */
export type Notice = (path: string | undefined) => void

/** File systems whose changes may be made elsewhere, where no notification comes from (statfs(2), f_type). */
const REMOTE: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x01021997, // 9p
  0x65735546, // FUSE
  0x6a656a63, // virtiofs
  0x786f4256, // VirtualBox shared folders
])

export class Notifier {
  readonly #notice: Notice
  readonly #failed: () => void
  readonly #watchers = new Map<string, { readonly watcher: FSWatcher; readonly identity: string }>()
  #loners: ReadonlySet<string> = new Set()

  /** `failed` is called when a watch could not be made or broke: from then on only a poll sees everything. */
  constructor(notice: Notice, failed: () => void) {
    this.#notice = notice
    this.#failed = failed
  }

  /**
   * Watches these and nothing else; true when a folder is watched that was not before (and may have changed since it was listed).
   * @param folders by path, with what tells a folder from another one that took its place
   * @param ways folders that are watched where that is possible, and are nothing that failed where it is not
   */
  watch(folders: ReadonlyMap<string, string>, loners: readonly string[], ways: readonly string[] = []): boolean {
    this.#loners = new Set(loners)
    const withIdentity = (path: string): [string, string] => [path, identityAt(path)]
    const alone = loners.map((path): [string, string] => [path, ''])
    const needed = new Map([...loners.map((path) => withIdentity(dirname(path))), ...alone, ...folders])
    const wanted = new Map([...ways.map(withIdentity), ...needed])
    for (const [path, { identity }] of this.#watchers) if (wanted.get(path) !== identity) this.#drop(path)
    const before = this.#watchers.size
    for (const [path, identity] of wanted) if (!this.#watchers.has(path)) this.#add(path, identity, needed.has(path))
    return this.#watchers.size > before
  }

  /** A watch stays with the file that it was made for, so after a replacement it must be made again. */
  renew(path: string): void {
    if (!this.#loners.has(path)) return
    this.#drop(path)
    this.#add(path, '', true)
  }

  close(): void {
    for (const path of this.#watchers.keys()) this.#drop(path)
  }

  #add(path: string, identity: string, isNeeded: boolean): void {
    try {
      const isFile = this.#loners.has(path)
      const watcher = watch(path, (_event, name) => {
        if (isFile) this.#notice(path)
        else this.#notice(name === null ? undefined : join(path, name))
      })
      watcher.on('error', () => {
        this.#drop(path)
        if (isNeeded) this.#failed()
      })
      this.#watchers.set(path, { watcher, identity })
    } catch {
      if (isNeeded) this.#failed()
    }
  }

  #drop(path: string): void {
    this.#watchers.get(path)?.watcher.close()
    this.#watchers.delete(path)
  }
}

/** Whether changes under a path may come without a notification. */
export function isRemote(path: string): boolean {
  try {
    return REMOTE.has(statfsSync(path).type)
  } catch {
    return false
  }
}
