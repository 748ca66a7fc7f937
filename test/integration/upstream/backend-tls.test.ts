/** TLS to backends: what is asked of them, what they are told, and what becomes of the request when they are somebody else. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { BackendTlsConfig } from '../../../src/config/backend-tls.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { makeAuthority, makeClientLeaf } from '../../../src/x509/certificate.ts'
import { createTestAuthority, type TestCertificate } from '../../harness/certificates.ts'
import { eventually } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { TlsBackend, type TlsRespond } from '../../harness/tls-backend.ts'

const h = harness()
const authority = createTestAuthority()
const certificate = authority.issue('web.example')

function terms(more: Partial<BackendTlsConfig> = {}): BackendTlsConfig {
  return { serverName: 'web.example', authorities: { kind: 'bundle', pem: authority.certificate }, names: [], ...more }
}

async function tlsBackend(shown: TestCertificate = certificate, respond?: TlsRespond, options?: object): Promise<TlsBackend> {
  const backend = await TlsBackend.listen(shown, respond, options)
  onTestFinished(async () => await backend.close())
  return backend
}

async function scene(web: { readonly port: number }, tls: BackendTlsConfig, h2c: readonly string[] = []) {
  const gate = await h.gateway({ pools: { web: [web.port] }, tls: { web: tls }, h2c, rules: [{ backends: ['web'] }] })
  return { gate, client: await h.client(gate) }
}

/** A certificate that is its own authority. */
function selfSigned(alternatives: string): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
  ]
  const made = spawnSync('openssl', [...args, '-addext', `subjectAltName=${alternatives}`, '-keyout', key, '-out', cert])
  expect(made.status, String(made.stderr)).toBe(0)
  const chain = readFileSync(cert, 'utf8')
  return { config: { fingerprint: alternatives, chain, names: [] }, key: new Secret(readFileSync(key, 'utf8')) }
}

function trusting({ config }: TestCertificate, more: Partial<BackendTlsConfig> = {}): BackendTlsConfig {
  return terms({ authorities: { kind: 'bundle', pem: config.chain }, ...more })
}

describe('[wire:backend-tls] [feature:BackendTLSPolicy] a backend that is who it should be', () => {
  it('is told the server name, and keeps the connection for the next request', async () => {
    const web = await tlsBackend()
    const { client } = await scene(web, terms())
    for (let i = 0; i < 3; i += 1) expect(await client.request()).toMatchObject({ status: 200, body: 'ok' })
    expect(web.handshakes).toMatchObject([{ serverName: 'web.example', protocol: 'http/1.1', resumed: false }])
  })

  it('takes up the session when it is connected to again', async () => {
    const web = await tlsBackend()
    const { client } = await scene(web, terms())
    await client.request()
    await eventually(() => web.handshakes.length === 1, 'the first handshake')
    web.handshakes[0]?.socket.destroy()
    await eventually(async () => {
      await client.request()
      return web.handshakes.length > 1
    }, 'the second handshake')
    expect(web.handshakes[1]).toMatchObject({ resumed: true })
  })

  it('speaks HTTP/2 where the pool does, many requests on one connection', async () => {
    const web = await tlsBackend()
    const { gate } = await scene(web, terms(), ['web'])
    const clients = await Promise.all([h.client(gate), h.client(gate), h.client(gate)])
    for (const { status, body } of await Promise.all(clients.map(async (one) => await one.request()))) {
      expect({ status, body }).toEqual({ status: 200, body: 'ok' })
    }
    expect(web.handshakes).toMatchObject([{ protocol: 'h2' }])
  })

  it('gets and sends bodies that are larger than any buffer', async () => {
    const web = await tlsBackend(certificate, (request, answer) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      request.on('end', () => answer.end(Buffer.concat(pieces)))
    })
    const { client } = await scene(web, terms())
    const body = Array.from({ length: 300_000 }, (_, i) => String(i).padStart(10)).join('')
    const answer = await client.request({ method: 'POST', body })
    expect(answer.status).toBe(200)
    expect(answer.body === body).toBe(true)
  })

  it('switches to WebSocket', async () => {
    const web = await tlsBackend()
    web.server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
      socket.pipe(socket)
    })
    const { client } = await scene(web, terms())
    client.send('GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
    await eventually(() => client.received.includes('101 Switching'), 'the switch')
    client.send('hello through the tunnel')
    await eventually(() => client.received.endsWith('hello through the tunnel'), 'the echo')
  })

  it('[feature:GatewayBackendClientCertificate] is shown the certificate that the Gateway has for backends', async () => {
    const validity = { from: new Date(Date.now() - 60_000), until: new Date(Date.now() + 60_000) }
    const own = makeAuthority('authority of clients', validity)
    const leaf = makeClientLeaf(own, 'gateway.example', 'spiffe://gateway', validity)
    const shown = { config: { fingerprint: 'client', chain: leaf.certificate, names: [] }, key: new Secret(leaf.key) }
    const asking = { requestCert: true, rejectUnauthorized: true, ca: own.certificate }
    const web = await tlsBackend(certificate, undefined, asking)
    const gate = await h.gateway(
      {
        pools: { web: [web.port], stranger: [web.port] },
        tls: { web: terms({ clientCertificate: shown.config.fingerprint }), stranger: terms() },
        rules: [
          { path: '/', backends: ['web'] },
          { path: '/stranger', backends: ['stranger'] },
        ],
      },
      { clientCertificates: [shown] },
    )
    const client = await h.client(gate)
    expect((await client.request()).status).toBe(200)
    expect(web.handshakes[0]?.socket.getPeerCertificate().subject.CN).toBe('gateway.example')
    expect((await client.request({ target: '/stranger' })).status).toBe(502)
  })

  it.each([
    ['a DNS name', { kind: 'dns', value: 'b.example' }, 'DNS:a.example,DNS:b.example'],
    ['a name that a wildcard of the certificate covers', { kind: 'dns', value: 'x.example' }, 'DNS:*.example'],
    ['a URI', { kind: 'uri', value: 'spiffe://mesh/ns/a' }, 'URI:spiffe://mesh/ns/a'],
  ] as const)('is known by %s', async (_what, name, alternatives) => {
    const own = selfSigned(alternatives)
    const { client } = await scene(await tlsBackend(own), trusting(own, { names: [{ kind: 'dns', value: 'no.example' }, name] }))
    expect((await client.request()).status).toBe(200)
  })
})

describe('[wire:backend-tls] [feature:BackendTLSPolicySANValidation] a backend that is not', () => {
  const strangers: Readonly<Record<string, () => [TestCertificate, BackendTlsConfig]>> = {
    'is signed by another authority of the same name': () => [createTestAuthority().issue('web.example'), terms()],
    'has a certificate for another name': () => [authority.issue('other.example'), terms()],
    'is only one level below the wildcard of its certificate': () => [authority.issue('*.example'), terms({ serverName: 'a.b.example' })],
    'has the hostname, where alternative names are asked for': () => [certificate, terms({ names: [{ kind: 'dns', value: 'b.example' }] })],
    'has the URI in a DNS name': () => {
      const own = selfSigned('DNS:spiffe')
      return [own, trusting(own, { names: [{ kind: 'uri', value: 'spiffe' }] })]
    },
    'has an expired certificate': () => {
      const expired = createTestAuthority(Date.now() - 1_000)
      return [expired.issue('web.example'), terms({ authorities: { kind: 'bundle', pem: expired.certificate } })]
    },
  }
  it.each(Object.keys(strangers))('gets no request when it %s', async (name) => {
    const [shown, tls] = strangers[name]?.() ?? [certificate, terms()]
    let asked = 0
    const web = await tlsBackend(shown, (_request, answer) => {
      asked += 1
      answer.end('a secret')
    })
    const { gate, client } = await scene(web, tls)
    expect((await client.request()).status).toBe(502)
    expect(asked).toBe(0)
    expect(await gate.record()).toMatchObject({ status: 502, failed: [], attempts: 1 })
    expect([...(gate.runtime.pools.get('web')?.endpoints ?? [])][0]?.problem).not.toBe('')
  })

  it('gets nothing when it speaks no TLS, or says nothing', async () => {
    const plain = await h.backend(undefined, (connection) => connection.write('garbage, not TLS'))
    const first = await scene(plain, terms())
    expect((await first.client.request()).status).toBe(502)
    const silent = await h.backend(undefined, () => {})
    const gate = await h.gateway(
      { pools: { web: [silent.port] }, tls: { web: terms() }, rules: [{ backends: ['web'] }] },
      { bounds: { connectTime: 200 } },
    )
    expect((await (await h.client(gate)).request()).status).toBe(504)
  })

  it('is passed over for an endpoint that is', async () => {
    const [stranger, web] = [await tlsBackend(createTestAuthority().issue('web.example')), await tlsBackend()]
    const gate = await h.gateway({
      pools: { web: [stranger.port, web.port] },
      tls: { web: terms() },
      rules: [{ backends: ['web'] }],
    })
    const client = await h.client(gate)
    for (let i = 0; i < 10; i += 1) expect((await client.request()).status).toBe(200)
  })

  it('is refused when HTTP/2 is needed and it chooses no protocol', async () => {
    const server = createServer({ cert: certificate.config.chain, key: certificate.key.reveal() }, (socket) => socket.on('error', () => {}))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { gate, client } = await scene({ port: (server.address() as AddressInfo).port }, terms(), ['web'])
    expect((await client.request()).status).toBe(502)
    expect([...(gate.runtime.pools.get('web')?.endpoints ?? [])][0]?.problem).toContain('must speak HTTP/2')
  })
})
