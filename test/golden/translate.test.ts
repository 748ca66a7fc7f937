/**
 * Golden cases of translate: `translate/<subject>/<rule>.in.yaml` and the `.out.yaml` beside it. `vitest -u` rewrites the outputs,
 * the difference is then reviewed; with CI=1 a difference fails. The first comment of an input states the rule that it proves.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { goldenInputs, readGolden, translateGolden } from './translate/golden-case.ts'
import { goldenOutput } from './translate/golden-output.ts'

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), 'translate')
const inputs = goldenInputs(FOLDER)

describe('translate', () => {
  it.each(inputs)('%s', async (input) => {
    const output = goldenOutput(translateGolden(readGolden(join(FOLDER, input))))
    await expect(output).toMatchFileSnapshot(join(FOLDER, input.replace(/\.in\.yaml$/, '.out.yaml')))
  })

  it('states the rule and its place in the specification at the head of every input, which is no longer than a screen', () => {
    for (const input of inputs) {
      const lines = readFileSync(join(FOLDER, input), 'utf8').trimEnd().split('\n')
      expect(lines[0], input).toMatch(/^# \S.{30,}/)
      expect(lines.length, input).toBeLessThanOrEqual(80)
    }
  })
})
