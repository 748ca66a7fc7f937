/** Listeners whose clients must show a certificate. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
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

/** Of RSA, and without the key's identifier in the certificate: only its signature tells whose it is. */
function rsaClients() {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-rsa-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const at = (name: string): string => join(folder, name)
  const openssl = (...args: string[]): void => {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
  }
  const key = ['-newkey', 'rsa:2048', '-nodes']
  openssl('req', '-x509', ...key, '-subj', '/CN=clients', '-days', '2', '-keyout', at('ca.key'), '-out', at('ca.pem'))
  openssl('req', ...key, '-subj', '/CN=somebody', '-keyout', at('key'), '-out', at('csr'))
  writeFileSync(at('extensions'), 'extendedKeyUsage=clientAuth\nauthorityKeyIdentifier=none\n')
  const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('extensions')]
  openssl('x509', '-req', '-in', at('csr'), ...signed, '-out', at('pem'))
  const read = (name: string): string => readFileSync(at(name), 'utf8')
  return { authority: read('ca.pem'), shown: { cert: read('pem'), key: read('key') } }
}

describe('[wire:tls-client-certificates] [feature:GatewayFrontendClientCertificateValidation] clients that must show a certificate', () => {
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

  it('[feature:GatewayFrontendClientCertificateValidationInsecureFallback] get in with any or with none where the fallback is allowed', async () => {
    const plane = await serve('insecure-fallback')
    expect(await ask(plane, known.shown)).toBe(200)
    expect(await ask(plane)).toBe(200)
    expect(await ask(plane, stranger.shown)).toBe(200)
  })

  it('get in there with one that seems to be of an authority of theirs and is not', async () => {
    const [own, forged] = [rsaClients(), rsaClients()]
    const plane = await serve('insecure-fallback', own.authority)
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      expect(await ask(plane, { ...own.shown, maxVersion })).toBe(200)
      expect(await ask(plane, { ...forged.shown, maxVersion })).toBe(200)
    }
    const strict = await serve('valid-only', own.authority)
    expect([await ask(strict, own.shown), await ask(strict, forged.shown)]).toEqual([200, 'closed'])
  })

  it('are judged by the authorities of now', async () => {
    const plane = await serve('valid-only')
    await serve('valid-only', stranger.authority, plane)
    expect(await ask(plane, known.shown)).toBe('closed')
    expect(await ask(plane, stranger.shown)).toBe(200)
  })
})
