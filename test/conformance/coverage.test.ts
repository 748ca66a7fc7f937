/** Every test of the official suite is either here or left out for a reason that still holds. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { SUPPORTED_FEATURES } from '../../src/translate/features.ts'
import { elsewhere, notClaimed } from './left-out.ts'
import { suite } from './suite-module.ts'

const HERE = new URL('.', import.meta.url)

describe.skipIf(suite === undefined)('the official conformance suite', () => {
  const tests = [...(suite?.tests.values() ?? [])]
  const claimed = new Set(SUPPORTED_FEATURES.map(({ name }) => name))

  it('has a test here for each of its tests whose features the GatewayClass claims', () => {
    const owed = tests.filter(({ name, features }) => elsewhere[name] === undefined && features.every((feature) => claimed.has(feature)))
    expect(owed.length).toBeGreaterThan(50)
    const here = namesHere()
    expect(owed.map(({ name }) => name).filter((name) => !here.includes(name))).toEqual([])
    expect(here.filter((name, index) => here.indexOf(name) !== index)).toEqual([])
  })

  it('asks for nothing unclaimed without a reason, and no reason has had its day', () => {
    const missing = new Set(tests.flatMap(({ features }) => features.filter((feature) => !claimed.has(feature))))
    const leftOut = tests.filter(({ features }) => features.some((feature) => missing.has(feature)))
    const unexplained = leftOut.filter(
      ({ features }) => !features.some((feature) => missing.has(feature) && notClaimed[feature] !== undefined),
    )
    expect(unexplained.map(({ name }) => name)).toEqual([])
    expect(Object.keys(notClaimed).filter((feature) => !missing.has(feature))).toEqual([])
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
