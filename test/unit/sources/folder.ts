/** A folder of the file system for one test. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'gatewright-source-'))

  write(name: string, text: string): string {
    const path = join(this.path, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  }

  /** As most editors save: a new file takes the place of the old one. */
  replace(name: string, text: string): void {
    renameSync(this.write(`.${name.replaceAll('/', '-')}.swp`, text), join(this.path, name))
  }

  remove(name = '.'): void {
    rmSync(join(this.path, name), { recursive: true, force: true })
  }
}

/** Removed when the test ends. */
export function folder(files: Readonly<Record<string, string>> = {}): Folder {
  const made = new Folder()
  onTestFinished(() => made.remove())
  for (const [name, text] of Object.entries(files)) made.write(name, text)
  return made
}
