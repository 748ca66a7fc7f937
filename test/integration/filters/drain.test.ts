import { expect, it } from 'vitest'
import { startDataPlane } from '../../harness/data-plane.ts'
import { eventually } from '../../harness/eventually.ts'
import { gatewayConfig } from '../../harness/gateway-config.ts'
import { harness } from '../../harness/harness.ts'
import { RawClient } from '../../harness/raw-client.ts'

const h = harness()

it('[wire:mirror-apart] a mirror that does not answer keeps no process from ending', async () => {
  const web = await h.backend()
  const silent = await h.backend(() => {})
  const plane = startDataPlane()
  await plane.serve(
    gatewayConfig({
      pools: { web: [web.port], m: [silent.port] },
      rules: [{ backends: ['web'], filters: [{ kind: 'mirror', target: { kind: 'pool', pool: 'm' }, numerator: 1, denominator: 1 }] }],
    }),
  )
  const client = await RawClient.plain(plane.port(80))
  expect((await client.get('a.example')).status).toBe(200)
  const copy = await silent.connection(0)
  await eventually(() => copy.requests.length === 1, 'the copy')
  await client.close()
  await plane.stop()
  await eventually(() => copy.ending !== 'open', "the end of the copy's connection")
  expect(plane.dataPlane.runtime.mirrors).toMatchObject({ bytes: 0, sent: 1, failed: 1 })
})
