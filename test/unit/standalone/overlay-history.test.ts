import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ApiObject } from '../../../src/api/object.ts'
import { SnapshotBuilder } from '../../../src/cluster/snapshot-builder.ts'
import { Overlay, type OverlayOptions } from '../../../src/standalone/overlay.ts'
import { parseServiceMapping } from '../../../src/standalone/service-mapping.ts'
import { gateway, grant, grpcRoute, listener, nothingSaid, route, service } from './objects.ts'

const options: OverlayOptions = { controllerName: 'a/b', mappings: [], echo: true, certificates: false }

interface Edit {
  readonly remove: boolean
  readonly object: ApiObject
}

const place = fc.constantFrom('app', 'shop')
const backend = fc.constantFrom('web:80', 'web:81', 'api:80', 'shop/api:80')
const object: fc.Arbitrary<ApiObject> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.boolean(),
        place,
        fc.constantFrom('a', 'b', 'c'),
        fc.constantFrom('infra/one', 'infra/two'),
        fc.array(backend, { maxLength: 2 }),
      )
      .map(([isGrpc, namespace, name, parent, backends]) =>
        (isGrpc ? grpcRoute : route)(`${namespace}/${name}`, [{ gateway: parent }], ['a.example'], backends),
      ),
  },
  { weight: 2, arbitrary: fc.tuple(place, fc.constantFrom('web', 'api')).map(([namespace, name]) => service(`${namespace}/${name}`, 80)) },
  { weight: 1, arbitrary: fc.constantFrom('infra/one', 'infra/two').map((path) => gateway(path, listener('http', 80, 'HTTP'))) },
  { weight: 1, arbitrary: fc.constant(grant('shop', { kind: 'HTTPRoute', namespace: 'app' }, 'Service')) },
)
const edit: fc.Arbitrary<Edit> = fc.record({ remove: fc.nat(3).map((n) => n === 0), object })

it('plans after any edits what it plans from nothing', () => {
  const mappings = ['app/web:80=localhost:1', 'shop/api:80=localhost:2'].map(parseServiceMapping)
  fc.assert(
    fc.property(fc.array(fc.tuple(edit, fc.boolean()), { minLength: 2, maxLength: 20 }), (edits) => {
      const builder = new SnapshotBuilder()
      const overlay = new Overlay(options)
      for (const [{ remove, object: one }, isMapped] of edits) {
        if (remove) builder.delete(one.kind, one.metadata.namespace, one.metadata.name)
        else builder.set(one)
        const settings = { ...options, mappings: isMapped ? mappings : [] }
        overlay.configure(settings)
        const snapshot = builder.snapshot()
        const plan = overlay.plan(snapshot, nothingSaid)
        const fresh = new Overlay(settings).plan(snapshot, nothingSaid)
        expect([plan.kindnesses, plan.services, plan.wants]).toEqual([fresh.kindnesses, fresh.services, fresh.wants])
        overlay.apply(plan, { leaves: new Map(), echoPorts: new Map(), addresses: new Map(), findings: [] })
      }
    }),
    { numRuns: 100 },
  )
})
