import { describe, expect, it } from 'vitest'
import { formatPath, parse } from '../../src/api/parse.ts'
import { servedVersions, walk } from './crds.ts'
import type { JsonSchema } from './crds.ts'
import { embed, embeddedPath } from './embed.ts'
import { findGatewayApi } from './gateway-api.ts'
import { good, limits, probes } from './probes.ts'

const gatewayApi = findGatewayApi()
const served = gatewayApi === undefined ? [] : servedVersions(gatewayApi)

describe.skipIf(gatewayApi === undefined)('limits of the CRDs', () => {
  it.each(served)('$kind $version: what keeps them is accepted without a warning', ({ kind, version, schema }) => {
    const wrong: string[] = []
    for (const { path, schema: inner } of places(schema)) {
      for (const value of [good(kind, path, inner), ...limits(inner)]) {
        const parsed = parse(embed(kind, version, path, value))
        const issues = parsed.kind === 'unknown' ? [] : parsed.issues
        // A word of an enum or the longest text may break a rule of the place (another filter's type), never a limit.
        wrong.push(...issues.filter(({ code }) => LIMITS.has(code)).map(({ message }) => message))
      }
    }
    expect(wrong).toEqual([])
  })

  it.each(served)('$kind $version: what breaks one is refused at its place', ({ kind, version, schema }) => {
    const missed: string[] = []
    for (const { path, schema: inner } of places(schema)) {
      for (const { what, value, code, below = [] } of probes(kind, path, inner)) {
        const parsed = parse(embed(kind, version, path, value))
        const at = formatPath([...embeddedPath(path), ...below])
        const issues = parsed.kind === 'unknown' ? [] : parsed.issues
        const found = issues.some((issue) => issue.code === code && formatPath(issue.path) === at && issue.message.includes(at))
        if (!found || (code !== 'unknown-field' && parsed.kind !== 'invalid')) {
          missed.push(
            `${at}: ${what}, wanted ${code}, got ${issues.map((issue) => `${issue.code} at ${formatPath(issue.path)}`).join(', ')}`,
          )
        }
      }
    }
    expect(missed).toEqual([])
  })

  it.each(served)('$kind $version: what is absent gets the default', ({ kind, version, schema }) => {
    for (const { path, schema: inner } of places(schema)) {
      for (const [name, { default: expected }] of Object.entries(inner.properties ?? {})) {
        if (expected === undefined) continue
        const place = `${path}.${name}`
        const parsed = parse(embed(kind, version, place, null))
        const got = parsed.kind === 'object' ? valueAt(parsed.object, embeddedPath(place)) : parsed
        // What lies within a default has defaults of its own, so that the CRD's is a part of ours.
        expect({ place, got }).toMatchObject({ place, got: expected })
      }
    }
  })
})

const LIMITS = new Set(
  'type required enum pattern too-long too-short minimum maximum too-few too-many duplicate-key duplicate-item unknown-field'.split(' '),
)

/** Every place below spec, `spec` itself included. */
function places(schema: JsonSchema): { readonly path: string; readonly schema: JsonSchema }[] {
  const found: { path: string; schema: JsonSchema }[] = []
  walk(schema, '', (inner, path) => {
    if (path === 'spec' || path.startsWith('spec.')) found.push({ path, schema: inner })
  })
  return found
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Readonly<Record<string | number, unknown>> | undefined)?.[step], value)
}
