import { openSync, closeSync } from 'node:fs'
import { expect, it } from 'vitest'
import { objectKey } from '../../../src/sources/source.ts'
import { Assembler } from '../../../src/sources/file/assembly.ts'
import { nothingFound } from '../../../src/sources/file/read-once.ts'
import { readStandardInput } from '../../../src/sources/file/standard-input.ts'
import { folder } from './folder.ts'
import { routeYaml } from './manifests.ts'

function piped(text: string) {
  const descriptor = openSync(folder().write('input', text), 'r')
  try {
    return readStandardInput(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

it('standard input is read to its end, however long, and found under the name -', () => {
  const texts = Array.from({ length: 500 }, (_, index) => routeYaml(`r${index}`))
  const read = new Assembler({}).assemble([piped(texts.join('---\n'))])
  expect(read.objects).toHaveLength(500)
  expect(read.objects.map(objectKey)).toContain('HTTPRoute/default/r499')
  expect(read.locate({ kind: 'HTTPRoute', namespace: 'default', name: 'r1' })).toEqual({ file: '-', line: 19, column: 1 })
})

it('standard input without a manifest is one clear line', () => {
  expect(nothingFound([], [piped('\n')])?.message).toBe('Cannot find a manifest: standard input must hold YAML or JSON, got none')
})
