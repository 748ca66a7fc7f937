/** The ways by which given paths are found: a folder that is replaced as a whole, or a link that leads elsewhere, tells nothing of itself. */
import { readlinkSync, realpathSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'

/** Links that lead to links. What lies behind more of them, or behind a link further up, is seen by its identity. */
const MOST_LINKS = 8

/** The entries of folders by which a path is found: itself, and where it is a symbolic link, what that names, and so on. */
export function entriesOnTheWay(path: string): string[] {
  const entries: string[] = []
  let entry: string | undefined = path
  while (entry !== undefined && entries.length < MOST_LINKS) {
    // No folder has an entry for what these name.
    if (!['', '.', '..'].includes(basename(entry))) entries.push(entry)
    entry = targetOf(entry)
  }
  return entries
}

/** What tells whatever is at a path, all links followed, from another one that took its place. */
export function identityAt(path: string): string {
  try {
    return identityOf(statSync(path))
  } catch {
    return 'none'
  }
}

/** A file system may give the number of a folder that was deleted to the next one. */
export function identityOf({ dev, ino, birthtimeMs }: Stats): string {
  return `${dev}:${ino}:${birthtimeMs}`
}

function targetOf(entry: string): string | undefined {
  try {
    const target = readlinkSync(entry)
    return isAbsolute(target) ? target : join(realpathSync(dirname(entry)), target)
  } catch {
    return undefined
  }
}
