import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { root } from '../../harness/command-build.ts'
import { checkExpectation, checkStream, readExpectations, readStreams } from './expectation.ts'
import { startExample } from './start-example.ts'
import { type Command, curlCommands } from './readme.ts'

const folder = join(root, 'examples')
const examples = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
const readmeOf = (example: string): string => readFileSync(join(folder, example, 'README.md'), 'utf8')

describe('the examples', () => {
  it('are all in the index', () => {
    const index = readFileSync(join(folder, 'README.md'), 'utf8')
    expect(examples.filter((example) => !index.includes(`](${example}/README.md)`))).toEqual([])
    expect(examples.length).toBeGreaterThanOrEqual(6)
  })
})

describe.each(examples)('examples/%s', (example) => {
  const expectations = readExpectations(join(folder, example, 'expect.yaml'))
  const streams = readStreams(join(folder, example, 'expect.yaml'))

  it('answers every request of its expect.yaml as it says', { timeout: 20_000 }, async () => {
    const gateway = await startExample(example)
    onTestFinished(async () => {
      expect(await gateway.close(), gateway.stderr).toBe(0)
    })
    for (const one of expectations) await checkExpectation(gateway, one)
    for (const one of streams) await checkStream(gateway, one)
    expect(gateway.stderr).toBe('')
  })

  it('prints commands and answers in its README that expect.yaml has too', () => {
    const commands = curlCommands(readmeOf(example))
    expect(commands.length + streams.length).toBeGreaterThan(0)
    for (const { command, expect: answer } of streams) expect(readmeOf(example)).toContain(`$ ${command}\n${answer.trimEnd()}\n`)
    for (const command of commands) {
      const { expect: wanted } = expectations.find((one) => sameRequest(one, command)) ?? {}
      expect(wanted, `expect.yaml has ${command.text}`).toBeDefined()
      for (const part of visible(wanted ?? { status: 0 })) expect(command.answer.toLowerCase(), command.text).toContain(part.toLowerCase())
      const [, flag] = /^\d{3} ([a-z-]+)$/m.exec(command.answer) ?? []
      expect(wanted?.flag, command.text).toBe(flag)
    }
  })

  it('names in its README only files and folders that are there', () => {
    const named = [...readmeOf(example).matchAll(/`([\w./-]+\.yaml)`|gatewright run (examples\/[\w-]+)/g)]
    expect(named.length).toBeGreaterThan(0)
    for (const [, file, path] of named)
      expect(existsSync(join(root, path ?? join('examples', example, file ?? ''))), file ?? path).toBe(true)
  })
})

type Expectation = ReturnType<typeof readExpectations>[number]

function sameRequest({ request, headers = {} }: Expectation, command: Command): boolean {
  const lower = (all: Readonly<Record<string, string>>): string[] =>
    Object.entries(all)
      .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
      .sort()
  return request === command.request && lower(headers).join() === lower(command.headers).join()
}

/** What an answer as printed must show. */
function visible({ status, service, shares = {}, headers = {} }: Expectation['expect']): string[] {
  return [
    ...(status === 200 ? [] : [`${status}`]),
    ...(service === undefined ? [] : [`"service":"${service}"`]),
    ...Object.entries(shares).map(([name, share]) => `${share} "service":"${name}"`),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value.replace('{:443}', ':8443')}`),
  ]
}
