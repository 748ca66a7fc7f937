import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { Condition } from '../../../src/api/meta.ts'
import type { ApiObject } from '../../../src/api/object.ts'
import type { Translation } from '../../../src/translate/translation.ts'
import { caseOf, goldenInputs, objectOf, translateGolden } from '../../golden/translate/golden-case.ts'

const GOLDEN = join(dirname(fileURLToPath(import.meta.url)), '../../golden/translate')

interface Found {
  /** Tells the condition again after the change: object, parent or listener, and type. */
  readonly at: string
  readonly condition: Condition
}

/** Every condition of a translation, wherever it stands. */
function conditionsOf({ statuses }: Translation): readonly Found[] {
  return statuses.flatMap(({ kind, namespace, name, status }) => {
    const at = `${kind}/${namespace}/${name}`
    const own = 'conditions' in status ? status.conditions.map((condition) => ({ at: `${at} ${condition.type}`, condition })) : []
    const listeners = 'listeners' in status ? status.listeners : []
    const parents = 'parents' in status ? status.parents : []
    return [
      ...own,
      ...listeners.flatMap((listener) =>
        listener.conditions.map((condition) => ({ at: `${at} ${listener.name} ${condition.type}`, condition })),
      ),
      ...parents.flatMap(({ conditions = [] }, i) =>
        conditions.map((condition) => ({ at: `${at} parent ${i} ${condition.type}`, condition })),
      ),
    ]
  })
}

type Plain = Readonly<Record<string, unknown>>

/** As `kubectl apply --server-side` would: maps are merged, listeners by their name, other lists replaced. */
function applied(before: unknown, patch: unknown): unknown {
  if (
    Array.isArray(patch) &&
    patch.every(isNamed) &&
    Array.isArray(before) &&
    before.some((one: unknown) => isNamed(one) && 'protocol' in one)
  ) {
    const list = before as readonly Plain[]
    return list.map((one) => applied(one, (patch as readonly Plain[]).find(({ name }) => name === one['name']) ?? {}))
  }
  if (!isMap(before) || !isMap(patch)) return patch
  return Object.entries(patch).reduce<Plain>((merged, [key, value]) => ({ ...merged, [key]: applied(merged[key], value) }), before)
}

function isMap(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isNamed(value: unknown): value is Plain {
  return isMap(value) && typeof value['name'] === 'string'
}

function apply(objects: readonly ApiObject[], yaml: string): readonly ApiObject[] {
  const result = new Map(objects.map((object) => [pathOf(object), object]))
  for (const document of parseAllDocuments(yaml)) {
    const patch = document.toJS() as Plain
    const printed = objectOf(complete(patch))
    const before = result.get(pathOf(printed))
    // A printed Namespace replaces the whole object, as a file does.
    result.set(pathOf(printed), before === undefined || printed.kind === 'Namespace' ? printed : objectOf(applied(before, patch)))
  }
  return [...result.values()]
}

/** A patch is no whole object: enough of it to be told by its name. */
function complete(patch: Plain): Plain {
  const listeners = [{ name: 'x', port: 1, protocol: 'HTTP' }]
  const spec = patch['spec'] as Plain
  if (patch['kind'] === 'Gateway') return { ...patch, spec: { gatewayClassName: 'x', listeners, ...spec } }
  if (patch['kind'] === 'ListenerSet') return { ...patch, spec: { parentRef: { name: 'x' }, listeners, ...spec } }
  const rules = [{ backendRefs: [{ name: 'x', port: 1 }] }]
  return ['TLSRoute', 'TCPRoute', 'UDPRoute'].includes(String(patch['kind']))
    ? { ...patch, spec: { rules, hostnames: ['x'], ...spec } }
    : patch
}

function pathOf({ kind, metadata }: ApiObject): string {
  return `${kind}/${metadata.namespace}/${metadata.name}`
}

const remedies = goldenInputs(GOLDEN).flatMap((input) => {
  const golden = caseOf(readFileSync(join(GOLDEN, input), 'utf8'))
  return conditionsOf(translateGolden(golden)).flatMap(({ at, condition }) => {
    const yaml = /(?:apply|change to):\n([^]*)$/.exec(condition.message)?.[1]
    return yaml === undefined ? [] : [{ title: `${input}: ${at}`, golden, at, reason: condition.reason, yaml }]
  })
})

describe('the YAML that a message prints', () => {
  it.each(remedies)('mends what the message is about: $title', ({ golden, at, reason, yaml }) => {
    const after = translateGolden({ ...golden, objects: apply(golden.objects, yaml) })
    const condition = conditionsOf(after).find((found) => found.at === at)?.condition
    // True, or another problem shows that this one had hidden.
    if (condition?.status !== 'True') expect(condition?.reason).not.toBe(reason)
    expect(condition?.message).not.toContain(yaml)
  })

  it('is tried for every reason that has any', () => {
    expect(new Set(remedies.map(({ reason }) => reason))).toEqual(
      new Set(['RefNotPermitted', 'NotAllowed', 'NotAllowedByListeners', 'NoMatchingParent', 'NoMatchingListenerHostname']),
    )
    expect(remedies.length).toBeGreaterThan(10)
  })
})
