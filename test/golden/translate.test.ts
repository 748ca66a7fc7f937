/**
 * Golden cases of translate: `translate/<subject>/<rule>.in.yaml` and the `.out.yaml` beside it. `vitest -u` rewrites the outputs,
 * the difference is then reviewed; with CI=1 a difference fails. The first comment of an input states the rule that it proves.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { goldenInputs, readGolden, translateGolden } from './translate/golden-case.ts'

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), 'translate')
const inputs = goldenInputs(FOLDER)

describe('translate', () => {
  it.each(inputs)('%s', async (input) => {
    const translation = translateGolden(readGolden(join(FOLDER, input)))
    const output = {
      statuses: translation.statuses.map(({ apiVersion: _, ...status }) => status),
      configs: translation.configs.map((config) => ({
        ...config,
        certificates: config.certificates.map(({ chain: _, ...certificate }) => certificate),
      })),
      infra: translation.infra,
      findings: translation.findings,
      wants: translation.wants,
    }
    // Through JSON, as every printer does it: keys redact themselves.
    const plain = JSON.parse(JSON.stringify(output)) as Record<string, readonly unknown[]>
    const shown = Object.fromEntries(Object.entries(plain).filter(([, list]) => list.length > 0))
    const yaml = stringify(shown, { lineWidth: 0, aliasDuplicateObjects: false })
    await expect(yaml).toMatchFileSnapshot(join(FOLDER, input.replace(/\.in\.yaml$/, '.out.yaml')))
  })

  it('states the rule and its place in the specification at the head of every input, which is no longer than a screen', () => {
    for (const input of inputs) {
      const lines = readFileSync(join(FOLDER, input), 'utf8').trimEnd().split('\n')
      expect(lines[0], input).toMatch(/^# [A-Z].{30,}/)
      expect(lines.length, input).toBeLessThanOrEqual(80)
    }
  })
})
