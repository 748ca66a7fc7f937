import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dataPlaneMetrics } from '../../../src/proxy/metrics.ts'
import type { Logger } from '../../../src/telemetry/logger.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { startBackend, type TestBackend } from '../../harness/backend.ts'
import { gatewayConfig, httpListener, pool, routeTo, startDataPlane, type TestDataPlane } from '../../harness/data-plane.ts'
import { eventually } from '../../harness/eventually.ts'
import { RawClient } from '../../harness/raw-client.ts'
import { closedPort, Endpoint } from './endpoints.ts'

describe('an endpoint that is ejected', () => {
  const lines: string[] = []
  const logger: Logger = {
    ...silentLogger,
    info: (message, fields) => void lines.push(`info ${message} ${JSON.stringify(fields)}`),
    warn: (message, fields) => void lines.push(`warn ${message} ${JSON.stringify(fields)}`),
  }
  let web: TestBackend
  let plane: TestDataPlane
  let client: RawClient
  let gone = 0

  beforeAll(async () => {
    web = await startBackend('one')
    gone = await closedPort()
    plane = startDataPlane({ logger, bounds: { ejectTime: 50, ejectTimeMost: 50 } })
    const listeners = [httpListener(80)]
    const one = pool('one', web.port, gone)
    await plane.serve(gatewayConfig({ listeners, pools: [one], routes: [routeTo(one, listeners)] }))
    client = await RawClient.plain(plane.port(80))
  })
  afterAll(async () => {
    await client.close()
    await plane.stop()
    await web.stop()
  })

  it('[wire:upstream-visible] is named with the reason by the log and the metrics, until it is back', async () => {
    const metrics = createMetrics(dataPlaneMetrics(plane.dataPlane))
    const key = 'Service/default/one:80'
    for (let i = 0; i < 50 && lines.length === 0; i++) expect((await client.get('a')).status).toBe(200)
    const fields = {
      pool: key,
      endpoint: `127.0.0.1:${gone}`,
      reason: 'connect-refused',
      problem: `connect ECONNREFUSED 127.0.0.1:${gone}`,
      panic: false,
    }
    expect(lines).toEqual([`warn an endpoint is ejected ${JSON.stringify(fields)}`])
    const text = await metrics.text()
    expect(text).toContain(`gatewright_upstream_ejections_total{pool="${key}",reason="connect-refused"} 1\n`)
    expect(text).toContain(`gatewright_upstream_endpoint_ejected{pool="${key}",endpoint="127.0.0.1:${gone}",reason="connect-refused"} 1\n`)
    expect(text).toContain(`gatewright_upstream_panic{pool="${key}"} 0\n`)
    expect(text).toContain(`gatewright_upstream_endpoints{pool="${key}"} 2\n`)
    expect(text).toContain(`gatewright_upstream_endpoints_used{pool="${key}"} 1\n`)
    const idle = { state: 'ready', activeRequests: 0 }
    expect(plane.dataPlane.pools).toEqual([
      {
        pool: key,
        protocol: 'http',
        panic: false,
        endpoints: [
          { ...idle, endpoint: `127.0.0.1:${web.port}`, takesRequests: true, health: 'available', connections: 1 },
          {
            ...idle,
            endpoint: `127.0.0.1:${gone}`,
            takesRequests: false,
            health: 'ejected',
            reason: 'connect-refused',
            until: expect.stringMatching(/^\d{4}-.*Z$/),
            left: expect.any(Number),
            connections: 0,
          },
        ],
      },
    ])
    const back = await Endpoint.listen(gone)
    try {
      await eventually(
        () => [...(plane.dataPlane.runtime.pools.get(key)?.endpoints ?? [])].every(({ health }) => health.kind !== 'ejected'),
        'the trial',
      )
      await client.get('a')
      expect(lines.slice(1)).toEqual([`info an endpoint is back ${JSON.stringify({ pool: key, endpoint: fields.endpoint })}`])
      expect(await metrics.text()).not.toContain('gatewright_upstream_endpoint_ejected{')
    } finally {
      await back.close()
    }
  })
})
