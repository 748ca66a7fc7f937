/** What backends are told of the certificates that clients showed: `X-Forwarded-Client-Cert`. */
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { FilterConfig } from '../../../src/config/filter.ts'
import type { ClientValidationConfig, ListenerConfig } from '../../../src/config/listener.ts'
import type { PoolConfig } from '../../../src/config/pool.ts'
import type { HttpRouteConfig } from '../../../src/config/route.ts'
import { parseCidr } from '../../../src/lib/cidr.ts'
import type { DataPlaneOptions } from '../../../src/proxy/data-plane.ts'
import { makeAuthority, makeClientLeaf } from '../../../src/x509/certificate.ts'
import { startBackend, type TestBackend } from '../../harness/backend.ts'
import { createTestAuthority, keysOf } from '../../harness/certificates.ts'
import { gatewayConfig, httpListener, httpsListener, pool, routeTo, startDataPlane, type TestDataPlane } from '../../harness/data-plane.ts'
import { Http2Backend } from '../../harness/http2-backend.ts'
import { Http2Client } from '../../harness/http2-client.ts'
import { RawClient } from '../../harness/raw-client.ts'
import { WebSocketClient } from '../../harness/web-socket-client.ts'

const fieldName = 'x-forwarded-client-cert'
const claim = 'X-Forwarded-Client-Cert: Hash=0;Subject="CN=admin"'
const day = 24 * 60 * 60 * 1000

interface Shown {
  readonly cert: string
  readonly key: string
}

function hashOf({ cert }: Shown): string {
  return new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase()
}

/** A certificate with names that try to end the value and the line, and the authority that let itself be talked into it. */
function oddClient(): { readonly authority: string; readonly shown: Shown } {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-odd-'))
  const at = (name: string): string => join(folder, name)
  writeFileSync(
    at('conf'),
    `[req]
prompt = no
string_mask = utf8only
distinguished_name = name
x509_extensions = extensions
[name]
O = "Ex, \\"Inc\\";Hash=1\\\\"
CN = Zoë
[extensions]
extendedKeyUsage = clientAuth
subjectAltName = @names
[names]
URI.1 = spiffe://one/a;Hash=2
URI.2 = spiffe://two/\\"x\\\\ y
DNS.1 = a.example
DNS.2 = *.b.example
email.1 = somebody@example.com
`,
  )
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at('key')]
  const made = spawnSync('openssl', ['req', '-x509', '-utf8', ...key, '-days', '2', '-config', at('conf'), '-out', at('pem')], {
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(made.stderr)
  const shown = { cert: readFileSync(at('pem'), 'utf8'), key: readFileSync(at('key'), 'utf8') }
  rmSync(folder, { recursive: true })
  return { authority: shown.cert, shown }
}

describe('a backend', () => {
  const validity = { from: new Date(Date.now() - day), until: new Date(Date.now() + day) }
  const clientAuthority = makeAuthority('clients', validity)
  const leaf = makeClientLeaf(clientAuthority, 'somebody', 'spiffe://shop/cart', validity)
  const known: Shown = { cert: leaf.certificate, key: leaf.key }
  const details = `Hash=${hashOf(known)};Subject="CN=somebody";URI=spiffe://shop/cart`
  const servers = createTestAuthority()
  const certificate = servers.issue('a.example')
  let backend: TestBackend
  let http2Backend: Http2Backend
  const open: { close(): Promise<void> }[] = []
  const planes: TestDataPlane[] = []

  beforeAll(async () => {
    backend = await startBackend('one')
    http2Backend = await Http2Backend.listen()
  })
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
    for (const plane of planes.splice(0)) await plane.stop()
  })
  afterAll(() => Promise.all([backend.stop(), http2Backend.close()]))

  /** 443 asks for certificates, 444 and 80 do not; `grpc` goes to the backend of HTTP/2. */
  async function serve(
    options: Partial<DataPlaneOptions>,
    { mode = 'valid-only', authorities = clientAuthority.certificate }: Partial<ClientValidationConfig> = {},
    filters: readonly FilterConfig[] = [],
  ): Promise<TestDataPlane> {
    const plane = startDataPlane(options)
    planes.push(plane)
    const asking = httpsListener(443, '', [certificate])
    const listeners: ListenerConfig[] = [
      { ...asking, tls: { ...asking.tls, clients: { mode, authorities } } as ListenerConfig['tls'] & object },
      httpsListener(444, '', [certificate]),
      httpListener(80),
    ]
    const one = pool('one', backend.port)
    const calls: PoolConfig = { ...pool('calls', http2Backend.port), protocol: 'h2c' }
    const routes: HttpRouteConfig[] = [
      { ...routeTo(one, listeners), rules: routeTo(one, listeners).rules.map((rule) => ({ ...rule, filters })) },
      routeTo(calls, listeners, 'calls.example'),
    ]
    await plane.serve(gatewayConfig({ listeners, pools: [one, calls], routes, certificates: [certificate.config] }), keysOf(certificate))
    return plane
  }

  async function connect(plane: TestDataPlane, port: number, shown: Partial<Shown>): Promise<RawClient> {
    const client =
      port === 80
        ? await RawClient.plain(plane.port(80))
        : await RawClient.tls(plane.port(port), { ca: servers.certificate, servername: 'a.example', ...shown })
    open.push(client)
    return client
  }

  /** Values of the field in the heads that the backend has got for each request of a client that claims one. */
  async function told(plane: TestDataPlane, shown: Partial<Shown> = known, port = 443, requests = 1): Promise<string[]> {
    const client = await connect(plane, port, shown)
    const before = backend.requests.length
    for (let sent = 0; sent < requests; sent += 1) {
      client.send(`GET / HTTP/1.1\r\nHost: a.example\r\n${claim}\r\nX_Forwarded-Client_Cert: Hash=1\r\n\r\n`)
      expect((await client.answer()).status).toBe(200)
    }
    return backend.requests.slice(before).flatMap(fieldsOf)
  }

  function fieldsOf(head: string): string[] {
    const lines = head.split('\r\n').filter((line) => /^x.forwarded.client.cert:/i.test(line))
    return lines.map((line) => line.slice(line.indexOf(':') + 1).trim())
  }

  it('[wire:client-certificate-told] is told with every request what the verified certificate of the connection says', async () => {
    const plane = await serve({ forwardClientCertificate: 'details' })
    expect(await told(plane, known, 443, 3)).toEqual([details, details, details])
  })

  it('[wire:client-certificate-told] gets the certificate as well where that is asked for', async () => {
    const plane = await serve({ forwardClientCertificate: 'with-certificate' })
    const [value = ''] = await told(plane)
    const [, hash, encoded = '', rest] = /^(Hash=[0-9a-f]+);Cert="([^"]+)";(.*)$/.exec(value) ?? []
    expect(`${hash};${rest}`).toBe(details)
    expect(encoded).toMatch(/^[A-Za-z0-9%.-]+$/)
    expect(decodeURIComponent(encoded)).toBe(known.cert)
  })

  it('[wire:client-certificate-told] is told names that could end the value or the line without what could', async () => {
    const odd = oddClient()
    const plane = await serve({ forwardClientCertificate: 'details' }, { authorities: odd.authority })
    const names = [
      String.raw`Subject="CN=Zo\C3\AB,O=Ex\, \22Inc\22\;Hash=1\5C"`,
      'URI="spiffe://one/a;Hash=2"',
      'URI=spiffe://two/%22x%5C%20y',
      'DNS=a.example',
      'DNS=*.b.example',
    ]
    expect(await told(plane, odd.shown)).toEqual([`Hash=${hashOf(odd.shown)};${names.join(';')}`])
  })

  it('[wire:client-certificate-told] is told the same in HTTP/2, of a gRPC call and of a WebSocket', async () => {
    const plane = await serve({ forwardClientCertificate: 'details' })
    const inHttp2 = await Http2Client.connect(plane.port(443), 'https', { ...known, servername: 'a.example' })
    open.push(inHttp2)
    const before = backend.requests.length
    expect((await inHttp2.request({ fields: [claim.toLowerCase()] })).status).toBe(200)
    expect(backend.requests.slice(before).flatMap(fieldsOf)).toEqual([details])

    const call = { method: 'POST', host: 'calls.example', fields: ['content-type: application/grpc', 'te: trailers', claim.toLowerCase()] }
    expect((await inHttp2.request({ ...call, body: '\0\0\0\0\0' })).status).toBe(200)
    const { raw = [] } = http2Backend.streams.at(-1) ?? {}
    expect(raw.filter((_value, at) => raw[at - 1] === fieldName)).toEqual([details])

    const webSocket = new WebSocketClient(await connect(plane, 443, known))
    await webSocket.upgrade('ws://a.example/', [claim])
    const head = backend.requests.at(-1) ?? ''
    expect(head).toMatch(/^upgrade: websocket$/im)
    expect(fieldsOf(head)).toEqual([details])
  })

  it('[wire:client-certificate-told] may get it changed by a filter, and not twice', async () => {
    const edits = { set: [], add: [], remove: ['X-Forwarded-Client-Cert'] }
    const without = await serve({ forwardClientCertificate: 'details' }, {}, [{ kind: 'requestHeaders', ...edits }])
    expect(await told(without)).toEqual([])
    const set = [{ name: 'x-forwarded-client-cert', value: 'hidden' }]
    const other = await serve({ forwardClientCertificate: 'details' }, {}, [{ kind: 'requestHeaders', ...edits, remove: [], set }])
    expect(await told(other)).toEqual(['hidden'])
  })

  it('[wire:client-certificate-told] is asked about it by the field that the client cannot write, where it authorises', async () => {
    const requestHeaders = [fieldName]
    const target = { kind: 'pool', pool: pool('one', backend.port).key } as const
    const plane = await serve({ forwardClientCertificate: 'details' }, {}, [
      { kind: 'externalAuth', protocol: 'http', target, pathPrefix: '/check', requestHeaders, responseHeaders: [], maxBody: 0 },
    ])
    expect(await told(plane)).toEqual([details, details])
    expect(backend.requests.slice(-2).map((head) => head.split(' ')[1])).toEqual(['/check/', '/'])
  })

  it.each([
    ['with a certificate of the authority', known],
    ['with one of a stranger', strangerOf(validity)],
    ['with none', {}],
  ])('[wire:client-certificate-verified] is told nothing of a client that the insecure fallback let in %s', async (_what, shown) => {
    const plane = await serve({ forwardClientCertificate: 'with-certificate' }, { mode: 'insecure-fallback' })
    expect(await told(plane, shown)).toEqual([])
  })

  it('[wire:client-certificate-claims] is not told what a client claims, whatever the setting and the listener', async () => {
    const off = await serve({})
    const on = await serve({ forwardClientCertificate: 'details' })
    for (const port of [443, 444, 80]) expect(await told(off, known, port)).toEqual([])
    for (const port of [444, 80]) expect(await told(on, known, port)).toEqual([])
  })

  it('[wire:client-certificate-claims] is told what a trusted peer says where the listener does not say it itself', async () => {
    const trusted = [parseCidr('127.0.0.1')].filter((range) => range !== undefined)
    const claimed = claim.slice(claim.indexOf(':') + 2)
    const off = await serve({ trusted })
    expect(await told(off)).toEqual([claimed])
    const on = await serve({ trusted, forwardClientCertificate: 'details' })
    expect(await told(on)).toEqual([details])
    for (const port of [444, 80]) expect(await told(on, {}, port)).toEqual([claimed])
    const fallback = await serve({ trusted, forwardClientCertificate: 'details' }, { mode: 'insecure-fallback' })
    expect(await told(fallback)).toEqual([])
  })
})

function strangerOf(validity: { readonly from: Date; readonly until: Date }): Shown {
  const { certificate, key } = makeClientLeaf(makeAuthority('clients', validity), 'admin', 'spiffe://shop/admin', validity)
  return { cert: certificate, key }
}
