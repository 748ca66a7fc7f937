/** Every test of the official suite is either here or left out for a reason that still holds. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { SUPPORTED_FEATURES } from '../../src/translate/features.ts'
import { clusterOnly, elsewhere } from './left-out.ts'
import { suite } from './suite-module.ts'

const HERE = new URL('.', import.meta.url)

describe.skipIf(suite === undefined)('the official conformance suite', () => {
  const tests = [...(suite?.tests.values() ?? [])]
  const claimed = new Set(SUPPORTED_FEATURES.map(({ name }) => name))

  it('claims every feature that a test of it needs', () => {
    expect([...new Set(tests.flatMap(({ features }) => features))].filter((feature) => !claimed.has(feature))).toEqual([])
  })

  it('has a test here for each of its tests that can be asked here', () => {
    const owed = tests.filter(({ name, features }) => elsewhere[name] === undefined && !features.some((feature) => feature in clusterOnly))
    expect(owed.length).toBeGreaterThan(50)
    const here = namesHere()
    expect(owed.map(({ name }) => name).filter((name) => !here.includes(name))).toEqual([])
    expect(here.filter((name, index) => here.indexOf(name) !== index)).toEqual([])
  })

  it('has a reason for whatever is not asked here, and no reason has had its day', () => {
    expect(Object.keys(clusterOnly).filter((feature) => !tests.some(({ features }) => features.includes(feature)))).toEqual([])
    expect(Object.keys(elsewhere).filter((name) => !tests.some((test) => test.name === name))).toEqual([])
  })

  it('tests every feature that the GatewayClass claims', () => {
    const tested = new Set(tests.flatMap(({ features }) => features))
    expect([...claimed].filter((feature) => !tested.has(feature))).toEqual([])
  })
})

function namesHere(): readonly string[] {
  return readdirSync(HERE)
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => [...readFileSync(new URL(file, HERE), 'utf8').matchAll(/^conformance\('(\w+)'/gm)].map(([, name = '']) => name))
}
