import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dataPlaneMetrics } from '../../../src/proxy/metrics.ts'
import { createMetrics, type Metrics } from '../../../src/telemetry/metrics.ts'
import { createTestAuthority, keysOf } from '../../harness/certificates.ts'
import { gatewayConfig, httpListener, httpsListener, pool, routeTo, startDataPlane, type TestDataPlane } from '../../harness/data-plane.ts'
import { startBackend, type TestBackend } from '../../harness/backend.ts'
import { RawClient } from '../../harness/raw-client.ts'

describe('the metrics of a data plane', () => {
  const authority = createTestAuthority()
  const certificate = authority.issue('a.example')
  let backend: TestBackend
  let plane: TestDataPlane
  let metrics: Metrics
  const clients: RawClient[] = []

  beforeAll(async () => {
    backend = await startBackend('one')
    plane = startDataPlane()
    metrics = createMetrics(dataPlaneMetrics(plane.dataPlane))
    const listeners = [httpListener(80), httpsListener(443, 'a.example', [certificate])]
    const one = pool('one', backend.port)
    const config = gatewayConfig({
      listeners,
      pools: [one],
      routes: [routeTo(one, listeners, 'a.example')],
      certificates: [certificate.config],
    })
    await plane.serve(config, keysOf(certificate))
    const clear = await RawClient.plain(plane.port(80))
    const secure = await RawClient.tls(plane.port(443), { ca: authority.certificate, servername: 'a.example' })
    clients.push(clear, secure)
    await clear.get('a.example')
    await clear.get('b.example')
    await secure.get('a.example')
    await RawClient.tls(plane.port(443), { ca: authority.certificate, servername: 'b.example' }).catch(() => {})
  })
  afterAll(async () => {
    for (const client of clients) await client.close()
    await plane.stop()
    await backend.stop()
  })

  it('count requests by Gateway, route, rule and class of the status code', async () => {
    const text = await metrics.text()
    expect(text).toContain(
      'gatewright_requests_total{gateway="default/test",route="HTTPRoute/default/one",rule="HTTPRoute/default/one/0",code="2xx"} 2\n',
    )
    expect(text).toContain('gatewright_requests_total{gateway="",route="",rule="",code="4xx"} 1\n')
    expect(text).toContain('gatewright_flagged_requests_total{flag="no-route"} 1\n')
  })

  it('show how long requests took by route, in buckets that add up', async () => {
    const text = await metrics.text()
    const labels = 'gateway="default/test",route="HTTPRoute/default/one"'
    expect(text).toContain(`gatewright_request_duration_seconds_count{${labels}} 2\n`)
    expect(text).toContain(`gatewright_request_duration_seconds_bucket{${labels},le="+Inf"} 2\n`)
    expect(text).toContain(`gatewright_request_duration_seconds_bucket{${labels},le="32.768"} 2\n`)
    expect(text).toMatch(/gatewright_request_duration_seconds_sum\{.*\} 0\.\d+\n/)
  })

  it('show connections and handshakes by port, and pools', async () => {
    const text = await metrics.text()
    for (const line of [
      'gatewright_connections{gateway="default/test",port="80"} 1',
      'gatewright_connections{gateway="default/test",port="443"} 1',
      'gatewright_connections_total 2',
      'gatewright_active_requests 0',
      'gatewright_tls_handshakes_total{gateway="default/test",port="443"} 1',
      'gatewright_tls_hellos_refused_total{gateway="default/test",port="443"} 1',
      'gatewright_upstream_requests_total{pool="Service/default/one:80"} 2',
      'gatewright_upstream_endpoints{pool="Service/default/one:80"} 1',
      'gatewright_upstream_active_requests{pool="Service/default/one:80"} 0',
    ]) {
      expect(text).toContain(`${line}\n`)
    }
  })
})
