import { describe, expect, it } from 'vitest'
import { startBackend } from '../../harness/backend.ts'
import { gatewayConfig, httpListener, routeTo, startDataPlane } from '../../harness/data-plane.ts'
import { RawClient } from '../../harness/raw-client.ts'

describe('a data plane that knows its zone', () => {
  it('[wire:upstream-zone] sends requests to endpoints whose hints name it, and to others when they are gone', async () => {
    const [near, far] = [await startBackend('near'), await startBackend('far')]
    const plane = startDataPlane({ zone: 'a' })
    const listeners = [httpListener(80)]
    const config = (zones: readonly string[]) => {
      const endpoints = [near, far].map(({ port }, i) => ({
        address: '127.0.0.1',
        port,
        state: 'ready' as const,
        forZones: [zones[i] ?? ''],
      }))
      const backend = { kind: 'Service', namespace: 'default', name: 'web', port: 80 }
      const web = { key: 'Service/default/web:80', backend, protocol: 'http' as const, endpoints }
      return gatewayConfig({ listeners, pools: [web], routes: [routeTo(web, listeners)] })
    }
    await plane.serve(config(['a', 'b']))
    const client = await RawClient.plain(plane.port(80))
    const asked = async (): Promise<Set<string>> => {
      const names = new Set<string>()
      for (let i = 0; i < 20; i++) names.add((await client.get('a')).body)
      return names
    }
    try {
      expect(await asked()).toEqual(new Set(['near']))
      await plane.serve(config(['c', 'b']))
      expect(await asked()).toEqual(new Set(['near', 'far']))
    } finally {
      await client.close()
      await plane.stop()
      await near.stop()
      await far.stop()
    }
  })
})
