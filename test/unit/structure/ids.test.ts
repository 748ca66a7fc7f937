import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SUPPORTED_FEATURES } from '../../../src/translate/features.ts'

// Two pages promise something for each of their rows: docs/wire.md a rule of the wire, docs/features.md a feature of the API.
// A test names what it proves: `[wire:ID]` or `[feature:NAME]` in a test's name, or in the first comment of a golden case.

const root = resolve(import.meta.dirname, '../../..')

function testFiles(): string[] {
  return readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|yaml)$/.test(entry.name) && !entry.name.endsWith('.out.yaml'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => path !== 'test/unit/structure/ids.test.ts')
}

/** Every `[area:ID]` of the tests, with the files that name it. */
function tags(area: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const path of testFiles()) {
    for (const match of readFileSync(join(root, path), 'utf8').matchAll(new RegExp(`\\[${area}:([\\w-]+)\\]`, 'g'))) {
      const id = match[1] ?? ''
      found.set(id, [...(found.get(id) ?? []), path])
    }
  }
  return found
}

/** The rows of a page's tables as cells, without head and rule. */
function rows(page: string): string[][] {
  return readFileSync(join(root, page), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

function idsOf(page: string): string[] {
  return rows(page).map((cells) => (cells[0] ?? '').replaceAll('`', ''))
}

describe('docs/wire.md', () => {
  const ids = idsOf('docs/wire.md')

  it('lists rules, each once', () => {
    expect(ids.length).toBeGreaterThan(80)
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([])
  })

  it('has a test for each rule', () => {
    const tested = tags('wire')
    expect(ids.filter((id) => !tested.has(id))).toEqual([])
  })

  it('knows every rule that a test names', () => {
    expect([...tags('wire')].filter(([id]) => !ids.includes(id)).map(([id, files]) => `${id} in ${files.join(', ')}`)).toEqual([])
  })
})

describe('docs/features.md', () => {
  const features = rows('docs/features.md').map((cells) => ({
    name: (cells[0] ?? '').replaceAll('`', ''),
    state: cells[1] ?? '',
    where: cells[2] ?? '',
  }))
  const tested = tags('feature')

  it('lists features, each once, as served or not yet', () => {
    expect(features.length).toBeGreaterThan(50)
    expect(features.filter((feature, i) => features.findIndex((other) => other.name === feature.name) !== i)).toEqual([])
    expect(features.filter((feature) => !['served', 'not yet'].includes(feature.state))).toEqual([])
  })

  it('calls served exactly what GatewayClass.status.supportedFeatures claims', () => {
    const served = features.filter(({ state }) => state === 'served').map(({ name }) => name)
    expect(served.sort()).toEqual(SUPPORTED_FEATURES.map(({ name }) => name))
  })

  it('has a test for each feature that is served', () => {
    expect(features.filter((feature) => feature.state === 'served' && !tested.has(feature.name)).map((feature) => feature.name)).toEqual([])
  })

  it('knows every feature that a test names', () => {
    expect(
      [...tested]
        .filter(([name]) => !features.some((feature) => feature.name === name))
        .map(([name, files]) => `${name} in ${files.join(', ')}`),
    ).toEqual([])
  })

  it('names files that exist', () => {
    const missing = features.flatMap((feature) =>
      [...feature.where.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '').filter((path) => !existsSync(join(root, path))),
    )
    expect(missing).toEqual([])
  })
})
