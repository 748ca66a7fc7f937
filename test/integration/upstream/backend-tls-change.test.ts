/** The authority of a backend's certificate is replaced while requests go there. */
import { Agent, request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { createTestAuthority, type TestCertificate } from '../../harness/certificates.ts'
import { gatewayConfig, httpListener, pool, routeTo, startDataPlane } from '../../harness/data-plane.ts'

const listener = httpListener(80)

/** As translate has it: what is asked of the endpoints is part of the pool's key. */
function configFor(port: number, name: string, authorities: string) {
  const tls = { serverName: 'web.example', authorities: { kind: 'bundle', pem: authorities }, names: [] } as const
  const secured = { ...pool('web', port), key: `Service/default/web:80;tls=${name}`, tls }
  return gatewayConfig({ listeners: [listener], pools: [secured], routes: [routeTo(secured, [listener])] })
}

it('[wire:backend-tls] an authority that is replaced by another one, both trusted for a while, costs no request', async () => {
  const [first, second] = [createTestAuthority(), createTestAuthority()]
  const contextOf = ({ config, key }: TestCertificate) => ({ cert: config.chain, key: key.reveal() })
  const backend = createServer(contextOf(first.issue('web.example')), (_request, response) => response.end('ok'))
  backend.listen(0, '127.0.0.1')
  await new Promise((resolve) => backend.once('listening', resolve))
  onTestFinished(() => {
    backend.closeAllConnections()
    backend.close()
  })
  const { port } = backend.address() as AddressInfo
  const plane = startDataPlane()
  onTestFinished(async () => await plane.stop())
  await plane.serve(configFor(port, 'first', first.certificate))

  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const counts = { ok: 0, failed: 0 }
  const over = new AbortController()
  const traffic = Array.from({ length: 8 }, async () => {
    while (!over.signal.aborted) {
      const status = await new Promise((resolve) => {
        const asked = request({ host: '127.0.0.1', port: plane.port(80), agent, headers: { host: 'a.example' } }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode))
        })
        asked.on('error', () => resolve(0))
        asked.end()
      })
      counts[status === 200 ? 'ok' : 'failed'] += 1
    }
  })
  await delay(200)
  await plane.serve(configFor(port, 'both', first.certificate + second.certificate))
  await delay(200)
  backend.setSecureContext(contextOf(second.issue('web.example')))
  backend.closeIdleConnections()
  await delay(200)
  await plane.serve(configFor(port, 'second', second.certificate))
  await delay(200)
  over.abort()
  await Promise.all(traffic)
  agent.destroy()
  expect(counts.failed).toBe(0)
  expect(counts.ok).toBeGreaterThan(100)
  expect([...plane.dataPlane.runtime.pools.all()].map(({ config }) => config.key)).toEqual(['Service/default/web:80;tls=second'])
})
