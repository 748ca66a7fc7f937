import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer as createTlsServer } from 'node:https'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { TreeNode } from '../../../src/cli/status-tree.ts'
import type { EchoAnswer } from '../../../src/standalone/echo.ts'
import { makeAuthority, makeClientLeaf } from '../../../src/x509/certificate.ts'
import { createTestAuthority } from '../../harness/certificates.ts'
import { runCommand } from '../../harness/command.ts'
import { RunningGateway } from '../../harness/running-gateway.ts'
import { folder } from '../../unit/sources/folder.ts'

const X = 'group: gateway.networking.x-k8s.io, kind: XBackend'

function gateway(rules: string): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: shop }
spec: { gatewayClassName: any, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: shop }
spec:
  parentRefs: [{ name: web }]
  rules:
${rules}`
}

function backend(name: string, spec: string): string {
  return `---\napiVersion: gateway.networking.x-k8s.io/v1alpha1\nkind: XBackend\nmetadata: { name: ${name}, namespace: shop }\nspec: ${spec}\n`
}

async function running(files: Readonly<Record<string, string>>, ...flags: readonly string[]): Promise<RunningGateway> {
  const one = await RunningGateway.start([folder(files).path, ...flags])
  onTestFinished(async () => void (await one.close()))
  return one
}

async function api(): Promise<number> {
  const server = createServer((request, response) => {
    request.resume()
    response.end(`api for ${request.headers.host}`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

function flat(nodes: readonly TreeNode[]): TreeNode[] {
  return nodes.flatMap((node) => [node, ...flat(node.children)])
}

describe('run', () => {
  it('sends to an XBackend by its name, and to a Service of the same name beside it', async () => {
    const port = await api()
    const one = await running({
      'a.yaml': `${gateway(`  - { matches: [{ path: { value: /api } }], backendRefs: [{ ${X}, name: api }] }
  - backendRefs: [{ name: api, port: 80 }]
`)}${backend('api', `{ type: ExternalHostname, port: { number: ${port} }, externalHostname: { hostname: api.localhost } }`)}`,
    })
    const client = await one.connect('http://shop.example.com/')
    expect(await client.get('shop.example.com', '/api')).toMatchObject({ status: 200, body: 'api for shop.example.com' })
    const { body } = await client.get('shop.example.com', '/')
    expect((JSON.parse(body) as EchoAnswer).service).toBe('api')
  })

  it('reaches it over TLS with the name, the authority and the certificate that it says, and no other', async () => {
    const authority = createTestAuthority()
    const issued = authority.issue('api.example.com')
    const validity = { from: new Date(Date.now() - 60_000), until: new Date(Date.now() + 600_000) }
    const clients = makeAuthority('authority of clients', validity)
    const own = makeClientLeaf(clients, 'shop.example.com', 'spiffe://shop', validity)
    const server = createTlsServer(
      { cert: issued.config.chain, key: issued.key.reveal(), requestCert: true, rejectUnauthorized: true, ca: clients.certificate },
      (request, response) => {
        request.resume()
        response.end('over TLS')
      },
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    const pem = JSON.stringify(authority.certificate)
    const base64 = (text: string): string => Buffer.from(text).toString('base64')
    const shown = 'mode: ClientAndServer, clientCertificateRef: { name: own }'
    const secure = (hostname: string, mode = 'mode: ServerOnly'): string =>
      `{ type: ExternalHostname, port: { number: ${port} }, externalHostname: { hostname: localhost }, tls: { ${mode}, validation: { hostname: ${hostname}, caCertificateRefs: [{ group: '', kind: ConfigMap, name: ca }] } } }`
    const one = await running({
      'a.yaml': `${gateway(`  - { matches: [{ path: { value: /other } }], backendRefs: [{ ${X}, name: other }] }
  - { matches: [{ path: { value: /nameless } }], backendRefs: [{ ${X}, name: nameless }] }
  - backendRefs: [{ ${X}, name: api }]
`)}${backend('api', secure('api.example.com', shown))}${backend('other', secure('other.example.com', shown))}${backend('nameless', secure('api.example.com'))}---
apiVersion: v1
kind: Secret
metadata: { name: own, namespace: shop }
type: kubernetes.io/tls
data: { tls.crt: ${base64(own.certificate)}, tls.key: ${base64(own.key)} }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: ca, namespace: shop }
data: { ca.crt: ${pem} }
`,
    })
    const client = await one.connect('http://shop.example.com/')
    expect(await client.get('shop.example.com', '/')).toMatchObject({ status: 200, body: 'over TLS' })
    expect((await client.get('shop.example.com', '/other')).status).toBe(502)
    // It asks for a certificate, and this one shows none.
    expect((await client.get('shop.example.com', '/nameless')).status).toBe(502)
  })

  it('lets an echo backend answer for the pods that one selects, and keeps its sessions', async () => {
    const one = await running({
      'a.yaml': `${gateway(`  - backendRefs: [{ ${X}, name: catalog }]
`)}${backend('catalog', '{ type: EndpointSelector, port: { number: 8080 }, endpointSelector: { matchLabels: { app: catalog } }, sessionPersistence: { cookie: { name: seat } } }')}`,
    })
    const answer = await (await one.connect('http://shop.example.com/')).get('shop.example.com', '/')
    expect(answer.status).toBe(200)
    expect((JSON.parse(answer.body) as EchoAnswer).service).toBe('xbackend-catalog')
    expect(answer.headers.get('set-cookie')).toMatch(/^seat=/)
  })

  it('lets a program answer for the pods that one selects, where --service says so', async () => {
    const port = await api()
    const one = await running(
      {
        'a.yaml': `${gateway(`  - backendRefs: [{ ${X}, name: catalog }]
`)}${backend('catalog', '{ type: EndpointSelector, port: { number: 8080 }, endpointSelector: { matchLabels: { app: catalog } } }')}`,
      },
      '--service',
      `shop/xbackend-catalog:8080=127.0.0.1:${port}`,
    )
    const client = await one.connect('http://shop.example.com/')
    expect(await client.get('shop.example.com', '/')).toMatchObject({ status: 200, body: 'api for shop.example.com' })
  })
})

describe('explain, check and status', () => {
  const files = {
    'a.yaml': `${gateway(`  - backendRefs: [{ ${X}, name: api }, { ${X}, name: missing }, { ${X}, name: catalog }]
`)}${backend('api', '{ type: ExternalHostname, port: { number: 443 }, externalHostname: { hostname: api.example.com } }')}${backend('catalog', '{ type: EndpointSelector, port: { number: 8080 }, endpointSelector: { matchLabels: { app: catalog } }, sessionPersistence: { cookie: {} } }')}${backend('address', '{ type: ExternalHostname, port: { number: 443 }, externalHostname: { hostname: 192.0.2.1 } }')}---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackendTrafficPolicy
metadata: { name: calm, namespace: shop }
spec:
  targetRefs: [{ ${X}, name: api }, { group: '', kind: ConfigMap, name: settings }]
  retryConstraint: { budget: { percent: 5, interval: 1m } }
---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XMesh
metadata: { name: mesh }
spec: { controllerName: example.com/mesh }
`,
  }

  it('explain says what the name is, which retries are allowed and which session is kept', async () => {
    const { path } = folder(files)
    const { stdout } = await runCommand(['explain', path, '--request', 'GET http://shop.example.com/'])
    expect(stdout).toMatch(/backend\s+XBackend\/shop\/api:443 /)
    expect(stdout).toMatch(/hostname\s+api\.example\.com/)
    expect(stdout).toMatch(/endpoint\s+what the name leads to when it runs/)
    expect(stdout).toMatch(/retries\s+at most 5 % of the requests of 60 s, or 10 in 1 s; then 503/)
    expect(stdout).toMatch(/backend\s+XBackend\/shop\/catalog:8080 [^]*session\s+by cookie gatewright-session-/)
    expect(stdout).toMatch(/XBackend\/shop\/missing .*answers 500/)
  })

  it('status shows each with its name or its endpoints, and what its status says', async () => {
    const broken = backend('api', '{ type: ExternalHostname, port: { number: 443 }, externalHostname: { hostname: 192.0.2.1 } }')
    const one = await running({
      'a.yaml': `${gateway(`  - backendRefs: [{ ${X}, name: api }, { ${X}, name: catalog }, { ${X}, name: good }]
`)}${broken}${backend('catalog', '{ type: EndpointSelector, port: { number: 8080 }, endpointSelector: { matchLabels: { app: catalog } } }')}${backend('good', '{ type: ExternalHostname, port: { number: 443 }, externalHostname: { hostname: nowhere.localhost } }')}`,
    })
    const { stdout } = await runCommand(['status', '--admin', one.ready.admin, '-o', 'json'])
    const nodes = flat(JSON.parse(stdout) as TreeNode[]).filter(({ kind }) => kind === 'XBackend')
    expect(nodes).toMatchObject([
      { name: 'api', detail: 'weight 1, 192.0.2.1:443', isGood: false, state: 'Accepted False Invalid' },
      { name: 'catalog', detail: 'weight 1, 1 endpoint', isGood: true },
      { name: 'good', detail: 'weight 1, nowhere.localhost:443', isGood: true },
    ])
  })

  it('check tells of what is missing, of what a policy cannot be for, and of kinds that are not served', async () => {
    const { path } = folder(files)
    const { stdout } = await runCommand(['check', path])
    expect(stdout).toContain('XBackend shop/missing')
    expect(stdout).toContain('This target has no effect: kind ConfigMap is no backend that is served.')
    expect(stdout).toContain('a service mesh is asked for')
  })

  it('check refuses what the CRD refuses', async () => {
    const { path } = folder({ 'a.yaml': backend('api', '{ type: ExternalHostname, port: { number: 443 } }').slice(4) })
    const { stdout, code } = await runCommand(['check', path])
    expect(code).not.toBe(0)
    expect(stdout).toContain('spec.externalHostname must be set for type ExternalHostname')
  })
})
