/**
 * Our validation against the API server's: a thousand objects, good ones and broken ones, go to both. For each CEL rule of the
 * CRDs the value that keeps it and the one that breaks it, at every place and in every version; then random changes of these.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from '../../../src/api/parse.ts'
import { embed } from '../../spec/embed.ts'
import { RULE_CASES } from '../../spec/rule-cases.ts'
import { ApiError } from '../api-client.ts'
import { openScene, type Scene } from './scene.ts'

const wanted = 1_000
const inventory = new URL('../../spec/rule-inventory.tsv', import.meta.url)
const clusterScoped = ['GatewayClass']

interface Sent {
  readonly kind: string
  readonly version: string
  readonly what: string
  readonly object: Readonly<Record<string, unknown>>
}

describe('a thousand objects', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene()
  })
  afterAll(() => scene.remove())

  it('are accepted and refused by us as by the API server', async () => {
    const objects = [...ruleObjects(), ...changed(ruleObjects(), 20_261_127)].slice(0, 2 * wanted)
    const disagreed: string[] = []
    const theirVerdicts = { accepted: 0, refused: 0 }
    const queue = objects.values()
    const work = async (): Promise<void> => {
      for (const sent of queue) {
        const theirs = await verdict(scene, sent)
        if (theirs === 'not served') continue
        theirVerdicts[theirs === 'accepted' ? 'accepted' : 'refused'] += 1
        const parsed = parse(sent.object)
        const ours = parsed.kind === 'invalid' ? `refused: ${parsed.issues.map(({ message }) => message).join('; ')}` : 'accepted'
        if (ours.startsWith('refused') !== theirs.startsWith('refused')) {
          disagreed.push(
            `${sent.kind} ${sent.version}, ${sent.what}\n  ours: ${ours}\n  theirs: ${theirs}\n  ${JSON.stringify(sent.object)}`,
          )
        }
      }
    }
    await Promise.all(Array.from({ length: 16 }, work))
    expect(theirVerdicts.accepted).toBeGreaterThan(wanted / 4)
    expect(theirVerdicts.refused).toBeGreaterThan(wanted / 4)
    expect(theirVerdicts.accepted + theirVerdicts.refused).toBeGreaterThanOrEqual(wanted)
    expect(disagreed.join('\n')).toBe('')
  }, 300_000)
})

async function verdict({ api, namespace }: Scene, { kind, version, object }: Sent): Promise<string> {
  const plural = `${kind.toLowerCase().replace(/y$/, 'ie')}${kind === 'GatewayClass' ? 'es' : 's'}`
  const place = clusterScoped.includes(kind) ? '' : `namespaces/${namespace}/`
  try {
    await api.post(`/apis/gateway.networking.k8s.io/${version}/${place}${plural}?dryRun=All`, object)
    return 'accepted'
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return error.status === 404 ? 'not served' : `refused: ${error.message.slice(0, 600)}`
  }
}

/** Rules about changes need an object from before, and are left to the tests of the rules. */
function ruleObjects(): Sent[] {
  return readFileSync(inventory, 'utf8')
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const [kind = '', path = '', versions = '', sha256 = ''] = line.split('\t')
      const found = RULE_CASES.find(({ rule, old }) => old === undefined && sha256.startsWith(rule))
      if (found === undefined) return []
      return versions.split(',').flatMap((version) =>
        (['valid', 'invalid'] as const).map((what) => {
          const value: unknown = found[what]
          const given: unknown = typeof value === 'function' ? (value as (at: string) => unknown)(path) : value
          return { kind, version, what: `${what} at ${path} (${found.code})`, object: embed(kind, version, path, given) }
        }),
      )
    })
}

/** The same with one change each. */
function changed(objects: readonly Sent[], seed: number): Sent[] {
  const random = randomOf(seed)
  return objects.map((sent) => {
    const object = structuredClone(sent.object)
    const places = placesIn(object['spec'], ['spec'])
    const place = places[Math.floor(random() * places.length)] ?? ['spec']
    const made = changes[Math.floor(random() * changes.length)] ?? changes[0]
    const what = made === undefined ? '' : made(object, place)
    return { ...sent, what: `${sent.what}, ${what}`, object }
  })
}

type Place = readonly (string | number)[]

function placesIn(value: unknown, at: Place): Place[] {
  if (typeof value !== 'object' || value === null) return [at]
  return [at, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...at, Array.isArray(value) ? Number(key) : key]))]
}

function setAt(object: object, place: Place, make: (before: unknown) => unknown): void {
  let inner = object as Record<string | number, unknown>
  for (const step of place.slice(0, -1)) inner = inner[step] as Record<string | number, unknown>
  const last = place.at(-1) ?? 'spec'
  const next = make(inner[last])
  if (next === undefined && !Array.isArray(inner)) Reflect.deleteProperty(inner, last)
  else inner[last] = next
}

function to(what: string, make: (before: unknown) => unknown) {
  return (object: object, place: Place): string => {
    setAt(object, place, make)
    return `${place.join('.')} ${what}`
  }
}

const changes: readonly ((object: object, place: Place) => string)[] = [
  to('left out', () => undefined),
  to('a number', () => 70_000),
  to('minus one', () => -1),
  to('a fraction', () => 1.5),
  to('a text', () => 'text'),
  to('an empty text', () => ''),
  to('a long text', () => 'a'.repeat(5_000)),
  to('a text with a blank', () => 'a b'),
  to('a bool', () => true),
  to('an empty list', () => []),
  to('an empty object', () => ({})),
  to('with an unknown field', (before) => (typeof before === 'object' && !Array.isArray(before) ? { ...before, unknown: 1 } : before)),
  to('twice', (before) => (Array.isArray(before) ? [...(before as unknown[]), ...(before as unknown[])] : before)),
  to('in upper case', (before) => (typeof before === 'string' ? before.toUpperCase() : before)),
]

/** From 0 up to 1. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
