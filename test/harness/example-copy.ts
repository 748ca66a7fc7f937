/** A copy of an example's folder that a test may edit. Removed when the test ends. */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Folder, folder } from '../unit/sources/folder.ts'
import { root } from './command-build.ts'

export class ExampleCopy {
  readonly #folder: Folder

  constructor(example: string) {
    this.#folder = folder()
    cpSync(join(root, 'examples', example), this.path, { recursive: true })
  }

  get path(): string {
    return this.#folder.path
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), 'utf8')
  }

  /** Writes into the file, or puts a new one in its place as most editors do. */
  save(file: string, text: string, how: 'write' | 'replace' = 'write'): void {
    this.#folder[how](file, text)
  }
}
