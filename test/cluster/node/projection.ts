/**
 * Files of a volume that come from objects, replaced all at once as a kubelet does it: `..data` is a symbolic link to a folder of
 * one moment, each file a link through it. Whoever watches sees either the old content or the new one, never a part of each.
 */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

export interface ProjectedFile {
  readonly content: Buffer
  readonly mode: number
}

/** Paths are relative to the volume. `group` owns the files and may read them. */
export function writeProjection(folder: string, files: ReadonlyMap<string, ProjectedFile>, group: number | undefined): void {
  const name = `..${randomBytes(6).toString('hex')}`
  mkdirSync(join(folder, name), { recursive: true })
  for (const [path, { content, mode }] of files) writeFile(join(folder, name, path), content, mode, group)
  const current = join(folder, '..data')
  const old = existsSync(current) ? readlinkSync(current) : undefined
  symlinkSync(name, join(folder, '..data_new'))
  renameSync(join(folder, '..data_new'), current)
  linkTopNames(folder, new Set([...files.keys()].map((path) => path.split('/')[0] ?? path)))
  if (old !== undefined) rmSync(join(folder, old), { recursive: true, force: true })
}

function writeFile(path: string, content: Buffer, mode: number, group: number | undefined): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  if (group !== undefined) chownSync(path, 0, group)
  chmodSync(path, group === undefined ? mode : mode | 0o040)
}

function linkTopNames(folder: string, names: ReadonlySet<string>): void {
  const present = readdirSync(folder).filter((entry) => !entry.startsWith('..'))
  for (const name of names) if (!present.includes(name)) symlinkSync(join('..data', name), join(folder, name))
  for (const name of present) if (!names.has(name)) rmSync(join(folder, name))
}
