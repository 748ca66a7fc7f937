/**
 * Golden cases of translate: `translate/<subject>/<rule>.in.yaml` and the `.out.yaml` beside it. `vitest -u` rewrites the outputs,
 * the difference is then reviewed; with CI=1 a difference fails. The first comment of an input states the rule that it proves.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Condition } from '../../src/api/meta.ts'
import {
  backendConditions,
  classConditions,
  gatewayConditions,
  listenerConditions,
  listenerSetConditions,
  policyConditions,
  routeConditions,
} from '../../src/translate/conditions.ts'
import type { Translation } from '../../src/translate/translation.ts'
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

  it('covers every condition that can be written', () => {
    const written = new Set(inputs.flatMap((input) => writtenIn(translateGolden(readGolden(join(FOLDER, input))))))
    const possible = Object.entries(vocabulary).flatMap(([subject, constructors]) =>
      Object.values(constructors).map((make) => signature(subject, make(1, ''))),
    )
    expect(possible.filter((condition) => !written.has(condition))).toEqual([])
    expect([...written].filter((condition) => !possible.includes(condition))).toEqual([])
  })
})

const vocabulary = {
  class: classConditions,
  gateway: gatewayConditions,
  listener: listenerConditions,
  route: routeConditions,
  listenerSet: listenerSetConditions,
  policy: policyConditions,
  backend: backendConditions,
} as const

function signature(subject: string, { type, status, reason }: Condition): string {
  return `${subject} ${type}=${status} ${reason}`
}

/** Subjects and conditions of a translation, as `signature` writes them. */
function writtenIn({ statuses }: Translation): readonly string[] {
  return statuses.flatMap(({ kind, status }) => {
    if ('parents' in status) return status.parents.flatMap(({ conditions = [] }) => conditions.map((one) => signature('route', one)))
    if ('ancestors' in status) {
      const subject = kind === 'XBackend' ? 'backend' : 'policy'
      return status.ancestors.flatMap(({ conditions }) => conditions.map((one) => signature(subject, one)))
    }
    const subject = kind === 'GatewayClass' ? 'class' : kind === 'Gateway' ? 'gateway' : 'listenerSet'
    const listeners =
      'listeners' in status ? status.listeners.flatMap(({ conditions }) => conditions.map((one) => signature('listener', one))) : []
    return [...status.conditions.map((one) => signature(subject, one)), ...listeners]
  })
}
