/**
 * The keys of session tokens, which outlive a run beside the development CA: a client that comes back after a restart still
 * finds its endpoint.
 *
 *     FOLDER/session-keys   0600, a key a line: the first one signs, all are believed
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Secret } from '../lib/secret.ts'

/** 32 bytes in base64url. */
const keyText = /^[\w-]{43}$/

/** Those of `folder`; without any one is made. Throws when the folder cannot be used, or the file is none of ours. */
export async function readSessionKeys(folder: string): Promise<readonly Secret[]> {
  const path = join(folder, 'session-keys')
  const known = await readIfThere(path)
  if (known !== undefined) return keysIn(known, path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const made = `${randomBytes(32).toString('base64url')}\n`
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, made, { mode: 0o600, flag: 'wx' })
  try {
    // The file appears whole, and never in place of another: where a second process was faster, its key is taken.
    await link(draft, path)
    return keysIn(made, path)
  } catch (error) {
    const other = hasCode(error, 'EEXIST') ? await readIfThere(path) : undefined
    if (other === undefined) throw error
    return keysIn(other, path)
  } finally {
    await rm(draft, { force: true })
  }
}

function keysIn(text: string, path: string): readonly Secret[] {
  const lines = text.split('\n').filter((line) => line !== '')
  if (lines.length === 0 || lines.some((line) => !keyText.test(line)))
    throw new Error(
      `Cannot read the keys of sessions: each line of ${path} must be 32 bytes in base64url. Delete it to have a new key made.`,
    )
  return lines.map((line) => new Secret(line))
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
