import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeProjection } from '../../cluster/node/projection.ts'

describe('files that come from objects', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'projection-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const write = (files: Readonly<Record<string, string>>): void =>
    writeProjection(
      folder,
      new Map(Object.entries(files).map(([path, text]) => [path, { content: Buffer.from(text), mode: 0o640 }])),
      undefined,
    )

  it('are there with their modes, also in folders', () => {
    write({ key: 'a', 'deep/key': 'b' })
    expect(readFileSync(join(folder, 'deep/key'), 'utf8')).toBe('b')
    expect(statSync(join(folder, 'key')).mode & 0o777).toBe(0o640)
  })

  it('are replaced together, and nothing old stays', () => {
    write({ key: 'a', other: 'x' })
    write({ key: 'b', third: 'y' })
    expect(readFileSync(join(folder, 'key'), 'utf8')).toBe('b')
    expect(
      readdirSync(folder)
        .filter((name) => !name.startsWith('..'))
        .sort(),
    ).toEqual(['key', 'third'])
    expect(readdirSync(folder).length).toBe(4)
  })
})
