import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from '../../src/api/parse.ts'
import type { Issue } from '../../src/api/parse.ts'
import { ruleSites, servedVersions } from './crds.ts'
import type { RuleSite } from './crds.ts'
import { embed } from './embed.ts'
import { findGatewayApi } from './gateway-api.ts'
import { RULE_CASES } from './rule-cases.ts'
import type { RuleCase } from './rule-cases.ts'

const gatewayApi = findGatewayApi()

/** Which rule stands where, by the hash of its text; `npx vitest run --update test/spec` writes it anew from the CRDs. */
const INVENTORY = new URL('rule-inventory.tsv', import.meta.url)

describe('CEL rules of the CRDs', () => {
  it.skipIf(gatewayApi === undefined)('stand in the inventory as they stand in the CRDs of Gateway API v1.7.0', async () => {
    const lines = ruleSites(servedVersions(gatewayApi ?? '')).map((site) => `${Object.values(site).join('\t')}\n`)
    await expect(lines.join('')).toMatchFileSnapshot(fileURLToPath(INVENTORY))
  })

  const inventory = readFileSync(INVENTORY, 'utf8').trimEnd().split('\n').map(siteOf)

  it('each have a case, and each case a rule', () => {
    const rules = inventory.map((site) => site.sha256)
    const cases = RULE_CASES.map(({ rule }) => rule)
    expect(inventory.filter((site) => !cases.some((rule) => site.sha256.startsWith(rule)))).toEqual([])
    expect(cases.filter((rule) => !rules.some((sha256) => sha256.startsWith(rule)))).toEqual([])
    expect(new Set(cases).size).toBe(cases.length)
  })

  const tests = inventory.flatMap((site) => {
    const found = RULE_CASES.find(({ rule }) => site.sha256.startsWith(rule))
    return found ? site.versions.map((version) => ({ ...site, version, found, code: found.code })) : []
  })

  it.each(tests)('$kind $version $path: $code', ({ kind, version, path, found }) => {
    expect(issuesOf(kind, version, path, found, found.valid)).toEqual([])
    expect(issuesOf(kind, version, path, found, found.invalid).map((issue) => issue.code)).toContain(found.code)
  })
})

function siteOf(line: string): RuleSite {
  const [kind = '', path = '', versions = '', sha256 = ''] = line.split('\t')
  return { kind, path, versions: versions.split(','), sha256 }
}

function issuesOf(kind: string, version: string, path: string, { old }: RuleCase, value: unknown): readonly Issue[] {
  const manifest = embed(kind, version, path, typeof value === 'function' ? (value(path) as unknown) : value)
  const before = old === undefined ? undefined : parse(embed(kind, version, path, old))
  const parsed = parse(manifest, before?.kind === 'object' ? { old: before.object } : {})
  expect(parsed.kind).not.toBe('unknown')
  return parsed.kind === 'unknown' ? [] : parsed.issues
}
