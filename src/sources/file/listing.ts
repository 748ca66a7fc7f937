/** The files that a list of paths names: single files, and folders with what lies under them. */
import { readdirSync, realpathSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { FileError } from './file-error.ts'
import { fileErrorOf } from './file-error.ts'
import { identityOf } from './ways.ts'

export interface ListedFile {
  /** As a person would name it: what was given, and the way down from there. */
  readonly path: string
  /** Events of its folder may not tell of its changes: it was named by itself, or is a symbolic link. */
  readonly isAlone: boolean
  /** Its path with every symbolic link followed. */
  readonly real: string
  /** The given path's folder, above which nothing is looked at. */
  readonly root: string
  /** Changes when the file may have changed. */
  readonly stamp: string
  /** Milliseconds of the clock of the file system. */
  readonly modified: number
}

export interface Listing {
  /** In the order of the paths, then by name, each file once. */
  readonly files: readonly ListedFile[]
  /** By path: what tells a folder from another one that took its place. */
  readonly folders: ReadonlyMap<string, string>
  /** By given path: why it or a folder under it could not be listed. */
  readonly problems: ReadonlyMap<string, FileError>
}

const MANIFEST = /\.(?:ya?ml|json)$/i

export function isManifestName(name: string): boolean {
  return MANIFEST.test(name) && !isHidden(name)
}

export function isHidden(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules'
}

export function listFiles(paths: readonly string[]): Listing {
  const files = new Map<string, ListedFile>()
  const folders = new Map<string, string>()
  const problems = new Map<string, FileError>()
  for (const path of paths) {
    try {
      const stats = statSync(path)
      if (stats.isDirectory()) {
        listFolder(path, path, new Set(), { files, folders, problems })
      } else addFile(files, { path, root: dirname(path), real: realpathSync(path), isAlone: true }, stats)
    } catch (error) {
      problems.set(path, fileErrorOf(error, `read ${path}`))
    }
  }
  return { files: [...files.values()], folders, problems }
}

interface Found {
  readonly files: Map<string, ListedFile>
  readonly folders: Map<string, string>
  readonly problems: Map<string, FileError>
}

/** `above` holds the real paths on the way down: a symbolic link that leads back up ends there. */
function listFolder(folder: string, root: string, above: ReadonlySet<string>, found: Found): void {
  const real = realpathSync(folder)
  if (above.has(real)) return
  const way = new Set(above).add(real)
  found.folders.set(folder, `${real} ${identityOf(statSync(real))}`)
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort(byName)) {
    if (isHidden(entry.name)) continue
    const path = join(folder, entry.name)
    const isFile = entry.isFile() && MANIFEST.test(entry.name)
    if (!isFile && !entry.isDirectory() && !entry.isSymbolicLink()) continue
    try {
      const isLink = entry.isSymbolicLink()
      const stats = entry.isDirectory() ? undefined : statSync(path)
      if (!stats || stats.isDirectory()) listFolder(path, root, way, found)
      else if (stats.isFile() && MANIFEST.test(entry.name))
        addFile(found.files, { path, root, real: isLink ? realpathSync(path) : join(real, entry.name), isAlone: isLink }, stats)
    } catch (error) {
      // A link that leads nowhere, or a file that went away meanwhile, is no file.
      const problem = fileErrorOf(error, `read ${path}`)
      if (problem.code !== 'no-such-path') found.problems.set(path, problem)
    }
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1
}

function addFile(files: Map<string, ListedFile>, file: Omit<ListedFile, 'stamp' | 'modified'>, stats: Stats): void {
  const key = resolve(file.path)
  if (files.has(key)) return
  files.set(key, { ...file, stamp: stampOf(stats), modified: stats.mtimeMs })
}

export function stampOf(stats: Stats): string {
  // A pipe such as a shell's <(command) can be read once and never again.
  if (!stats.isFile()) return 'stream'
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}`
}
