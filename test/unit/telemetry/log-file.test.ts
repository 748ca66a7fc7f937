import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openLogFile } from '../../../src/telemetry/log-file.ts'

describe('a log file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-log-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('keeps what earlier runs wrote', async () => {
    const path = join(folder, 'access.log')
    for (const line of ['one\n', 'two\n']) {
      const stream = openLogFile(path, () => {})
      stream.write(line)
      await new Promise<void>((resolve) => stream.end(resolve))
    }
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n')
  })

  it('tells of a file that cannot be written instead of throwing', async () => {
    const failed = new Promise<Error>((resolve) => openLogFile(join(folder, 'missing', 'access.log'), resolve).write('lost\n'))
    expect(await failed).toMatchObject({ code: 'ENOENT' })
  })
})
