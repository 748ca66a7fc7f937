/** Listeners whose clients must show a certificate. */
import type { ConnectionOptions } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ClientValidationConfig, ListenerConfig } from '../../../src/config/listener.ts'
import { makeAuthority, makeClientLeaf } from '../../../src/x509/certificate.ts'
import { startBackend, type TestBackend } from '../../harness/backend.ts'
import { createTestAuthority, keysOf } from '../../harness/certificates.ts'
import { gatewayConfig, httpsListener, pool, routeTo, startDataPlane, type TestDataPlane } from '../../harness/data-plane.ts'
import { RawClient } from '../../harness/raw-client.ts'

const day = 24 * 60 * 60 * 1000

function clientsOf(until = Date.now() + day) {
  const validity = { from: new Date(until - 2 * day), until: new Date(until) }
  const authority = makeAuthority('clients', validity)
  const { certificate: cert, key } = makeClientLeaf(authority, 'somebody', 'spiffe://somebody', validity)
  return { authority: authority.certificate, shown: { cert, key } }
}

describe('[wire:tls-client-certificates] clients that must show a certificate', () => {
  const authority = createTestAuthority()
  const certificate = authority.issue('a.example')
  const second = authority.issue('b.example')
  const [known, stranger, expired] = [clientsOf(), clientsOf(), clientsOf(Date.now() - 1_000)]
  let backend: TestBackend
  const planes: TestDataPlane[] = []
  const clients: RawClient[] = []

  beforeAll(async () => {
    backend = await startBackend('one')
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close()
    for (const plane of planes.splice(0)) await plane.stop()
  })
  afterAll(() => backend.stop())

  function checking(hostname: string, shown: typeof certificate, clientsConfig: ClientValidationConfig): ListenerConfig {
    const listener = httpsListener(443, hostname, [shown])
    return { ...listener, tls: { ...listener.tls, clients: clientsConfig } as ListenerConfig['tls'] & object }
  }

  async function serve(
    mode: ClientValidationConfig['mode'],
    authorities = known.authority,
    plane = startDataPlane(),
  ): Promise<TestDataPlane> {
    if (!planes.includes(plane)) planes.push(plane)
    const one = pool('one', backend.port)
    const listeners = [checking('a.example', certificate, { authorities, mode }), checking('b.example', second, { authorities, mode })]
    const certificates = [certificate.config, second.config]
    await plane.serve(
      gatewayConfig({ listeners, pools: [one], routes: [routeTo(one, listeners)], certificates }),
      keysOf(certificate, second),
    )
    return plane
  }

  /** The status of an answer, or that there was none. */
  async function ask(plane: TestDataPlane, options: ConnectionOptions = {}, host = 'a.example'): Promise<number | 'closed'> {
    try {
      const client = await RawClient.tls(plane.port(443), { ca: authority.certificate, servername: host, ...options })
      clients.push(client)
      return (await client.get(host)).status
    } catch {
      return 'closed'
    }
  }

  it.each(['a.example', 'b.example'])(
    'get in with one that an authority of theirs has signed, whatever the listener (%s)',
    async (host) => {
      const plane = await serve('valid-only')
      expect(await ask(plane, known.shown, host)).toBe(200)
      expect(await ask(plane, { ...known.shown, maxVersion: 'TLSv1.2' }, host)).toBe(200)
    },
  )

  it.each([
    ['none', {}],
    ['one of another authority of the same name', stranger.shown],
    ['one that has expired', expired.shown],
  ] as const)('do not get in with %s', async (_what, shown) => {
    const plane = await serve('valid-only', known.authority + expired.authority)
    const before = backend.requests.length
    for (const host of ['a.example', 'b.example']) {
      expect(await ask(plane, shown, host)).toBe('closed')
      expect(await ask(plane, { ...shown, maxVersion: 'TLSv1.2' }, host)).toBe('closed')
    }
    expect(backend.requests).toHaveLength(before)
  })

  it('get in with any or with none where the fallback is allowed', async () => {
    const plane = await serve('insecure-fallback')
    expect(await ask(plane, known.shown)).toBe(200)
    expect(await ask(plane)).toBe(200)
    expect(await ask(plane, stranger.shown)).toBe(200)
  })

  it('are judged by the authorities of now', async () => {
    const plane = await serve('valid-only')
    await serve('valid-only', stranger.authority, plane)
    expect(await ask(plane, known.shown)).toBe('closed')
    expect(await ask(plane, stranger.shown)).toBe(200)
  })
})
