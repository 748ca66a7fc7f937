import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSessionKeys } from '../../../src/standalone/session-keys.ts'
import { folder } from '../sources/folder.ts'

const revealed = async (place: string): Promise<string[]> => (await readSessionKeys(place)).map((key) => key.reveal())

describe('the keys of sessions', () => {
  it('are made once, for nobody else to read, and nothing is left beside them', async () => {
    const place = join(folder({}).path, 'not', 'there', 'yet')
    const [key = ''] = await revealed(place)
    expect(Buffer.from(key, 'base64url')).toHaveLength(32)
    expect(await revealed(place)).toEqual([key])
    expect(readdirSync(place)).toEqual(['session-keys'])
    expect(statSync(join(place, 'session-keys')).mode & 0o777).toBe(0o600)
    expect(statSync(place).mode & 0o777).toBe(0o700)
  })

  it('are the same for processes that begin at once', async () => {
    const place = folder({}).path
    const all = await Promise.all(Array.from({ length: 20 }, () => revealed(place)))
    expect(new Set(all.flat()).size).toBe(1)
    expect(readdirSync(place)).toEqual(['session-keys'])
  })

  it('may be several, in their order', async () => {
    const place = folder({}).path
    const [old = ''] = await revealed(place)
    const next = Buffer.alloc(32, 'n').toString('base64url')
    writeFileSync(join(place, 'session-keys'), `${next}\n${old}\n`)
    expect(await revealed(place)).toEqual([next, old])
  })

  it.each(['', '\n', 'short\n', `${'a'.repeat(43)}\n${'b'.repeat(44)}\n`])(
    'that are none of ours are refused and left alone: %j',
    async (text) => {
      const place = folder({ 'session-keys': text }).path
      await expect(readSessionKeys(place)).rejects.toThrow(
        /^Cannot read the keys of sessions: each line of .* Delete it to have a new key made\.$/,
      )
      expect(readFileSync(join(place, 'session-keys'), 'utf8')).toBe(text)
    },
  )

  it('do not print themselves', async () => {
    expect(JSON.stringify(await readSessionKeys(folder({}).path))).toBe('["[redacted]"]')
  })

  it.skipIf(process.getuid?.() === 0)('cannot be kept where nothing may be written', async () => {
    const place = folder({}).path
    chmodSync(place, 0o500)
    await expect(readSessionKeys(place)).rejects.toMatchObject({ code: 'EACCES' })
  })
})
