import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { Assembler } from '../../../src/sources/file/assembly.ts'
import { sourceFile } from '../../../src/sources/file/source-file.ts'

const root = fileURLToPath(new URL('../../fixtures/folders/home-cluster', import.meta.url))
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .sort()
  .map((name) => ({ path: join(root, name), text: readFileSync(join(root, name), 'utf8') }))

it('no text makes the source throw, and every finding that says where points into its file', () => {
  const piece = fc.constantFrom(
    '',
    ' ',
    '\n',
    '\n  ',
    '\t',
    ': ',
    '- ',
    '---\n',
    '{{ .X }}',
    '${A',
    '${A:=[}',
    '$${',
    '[',
    '{',
    '*a',
    '&a ',
    '!x ',
    '"',
    '|',
    '\0',
    '80',
    'null',
    '~',
    '[]',
    'sops:\n',
  )
  const edit = fc.tuple(fc.nat(), fc.nat({ max: 30 }), piece)
  fc.assert(
    fc.property(fc.array(fc.array(edit, { maxLength: 3 }), { minLength: files.length, maxLength: files.length }), (edits) => {
      const assembler = new Assembler({ unknownVariables: 'localhost' })
      assembler.assemble(files.map(({ path, text }) => sourceFile(path, root, text)))
      const edited = files.map(({ path, text }, index) => {
        const result = (edits[index] ?? []).reduce((now, [at, length, insert]) => {
          const start = at % (now.length + 1)
          return now.slice(0, start) + insert + now.slice(start + length)
        }, text)
        return sourceFile(path, root, result)
      })
      const lines = new Map(edited.map(({ path, text }) => [path, text.split('\n').length]))
      for (const { at } of assembler.assemble(edited).findings) {
        if (at) expect(at.line).toBeLessThanOrEqual(Math.max(1, lines.get(at.file) ?? 0))
      }
    }),
    { numRuns: 200 },
  )
})
