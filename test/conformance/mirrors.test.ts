/** The suite's tests of mirrors: the request reaches its backend, and the pods of the others receive a copy. */
import { expect } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { conformanceTests } from './conformance.ts'
import type { Row } from './request-table.ts'
import type { Scene } from './scene.ts'
import { INFRA } from './suite-objects.ts'

const conformance = conformanceTests()

const v1 = 'infra-backend-v1'
const v2 = 'infra-backend-v2'
const v3 = 'infra-backend-v3'

conformance('HTTPRouteRequestMirror', async (scene) => {
  scene.accepted('same-namespace', 'request-mirror')
  await mirrored(scene, '/mirror', '/mirror-and-modify-headers', [v2])
})

conformance('HTTPRouteRequestMultipleMirrors', async (scene) => {
  scene.accepted('same-namespace', 'request-multiple-mirrors')
  await mirrored(scene, '/multi-mirror', '/multi-mirror-and-modify-request-headers', [v2, v3])
})

conformance('HTTPRouteRequestPercentageMirror', async (scene) => {
  scene.served('same-namespace', 'request-percentage-mirror')
  const requests = 500
  for (const [row, percent] of [
    [plain('/percent-mirror'), 20],
    [plain('/percent-mirror-fraction'), 50],
    [modified('/percent-mirror-and-modify-headers'), 35],
  ] as const) {
    const { path, rows } = named(row)
    // As many at once as the suite has.
    for (let sent = 0; sent < requests; sent += 10) await scene.answers('same-namespace', Array.from({ length: 10 }, () => rows).flat())
    // The suite would take three standard deviations more or less; exactly the share is promised.
    const copies = (requests * percent) / 100
    await eventually(() => copiesAt(scene, v2, path) >= copies - 1, `${copies} copies`)
    expect(copiesAt(scene, v2, path)).toBeLessThanOrEqual(copies + 1)
  }
})

/** One request each, and one copy of it at each backend. */
async function mirrored(scene: Scene, plainPath: string, modifiedPath: string, backends: readonly string[]): Promise<void> {
  for (const row of [plain(plainPath), modified(modifiedPath)]) {
    const { path, rows } = named(row)
    await scene.answers('same-namespace', rows)
    for (const backend of backends) {
      await eventually(() => copiesAt(scene, backend, path) > 0, `the copy at ${backend}`)
      expect(copiesAt(scene, backend, path)).toBe(1)
    }
  }
}

function copiesAt({ cluster }: Scene, backend: string, path: string): number {
  return cluster.pods.paths(INFRA, backend).filter((one) => one === path).length
}

type NamedRow = readonly [path: string, row: (path: string) => Row]

function plain(path: string): NamedRow {
  return [path, (named) => [named, v1]]
}

/** Its headers are changed before it is mirrored. */
function modified(path: string): NamedRow {
  const fields = { 'X-Header-Remove': 'remove-val', 'X-Header-Add-Append': 'append-val-1' }
  const received = {
    'X-Header-Add': 'header-val-1',
    'X-Header-Add-Append': 'append-val-1,header-val-2',
    'X-Header-Set': 'set-overwrites-values',
    'X-Header-Remove': null,
  }
  return [
    path,
    (named) => [
      { to: named, fields },
      { backend: v1, received },
    ],
  ]
}

/** With a query that no other request has. */
function named([path, row]: NamedRow): { readonly path: string; readonly rows: readonly Row[] } {
  const unique = `${path}?id=${crypto.randomUUID()}`
  return { path: unique, rows: [row(unique)] }
}
