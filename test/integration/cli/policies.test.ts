import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runCommand, spawnCommand } from '../../harness/command.ts'
import { eventually } from '../../harness/eventually.ts'
import { folder } from '../../unit/sources/folder.ts'

const gateway = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: c }
spec: { controllerName: gatewright.dev/gateway }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: shop }
spec: { gatewayClassName: c, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: shop }
spec: { parentRefs: [{ name: web }], rules: [{ backendRefs: [{ name: payments, port: 443 }] }] }
`

const service = `---
apiVersion: v1
kind: Service
metadata: { name: payments, namespace: shop }
spec: { ports: [{ name: https, port: 443 }] }
`

function tlsPolicy(name: string, target: string, validation = 'wellKnownCACertificates: System'): string {
  return `---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: ${name}, namespace: shop }
spec: { targetRefs: [{ group: '', kind: Service, ${target} }], validation: { hostname: pay.example.com, ${validation} } }
`
}

describe('check', () => {
  it('tells once, and at its place, of a port of a policy that the Service has not, with the one that may be meant', async () => {
    const { path } = folder({ 'a.yaml': `${gateway}${service}${tlsPolicy('mistyped', 'name: payments, sectionName: htps')}` })
    const { stdout, code } = await runCommand(['check', path])
    expect(code).toBe(1)
    expect(stdout.match(/has no port "htps"/g)).toHaveLength(1)
    expect(stdout).toContain(
      'error    24:79 policy-section-not-found: BackendTLSPolicy shop/mistyped: Service shop/payments has no port "htps"',
    )
    expect(stdout).toContain('in clear text')
    expect(stdout).toContain('-> Did you mean https?')
  })

  it('warns of a policy whose Service does not exist, with the one that may be meant', async () => {
    const { path } = folder({ 'a.yaml': `${gateway}${service}${tlsPolicy('mistyped', 'name: paymnts')}` })
    const { stdout, code } = await runCommand(['check', path])
    expect(code).toBe(0)
    expect(stdout).toContain('policy-target-not-defined: BackendTLSPolicy shop/mistyped: Service shop/paymnts is not defined here')
    expect(stdout).toContain('-> Did you mean payments?')
    expect(stdout).toContain('0 errors, 1 warning')
  })

  it('takes a Service that a route names and no file defines for one that lies elsewhere, whatever port a policy names', async () => {
    const { path } = folder({ 'a.yaml': `${gateway}${tlsPolicy('elsewhere', 'name: payments, sectionName: https')}` })
    const { stdout, code } = await runCommand(['check', path])
    expect(code).toBe(0)
    expect(stdout).toMatch(/Service shop\/payments is not defined here\.\n +also: BackendTLSPolicy shop\/elsewhere/)
    expect(stdout).toContain('0 errors, 1 warning')
  })
})

/** What `run` writes for a person, as it comes. */
function runFor(path: string): { readonly shown: (text: string) => Promise<string> } {
  const child = spawnCommand(['run', path, '--state-dir', `${path}/.state`])
  let stdout = ''
  child.stdout.on('data', (text: string) => (stdout += text))
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await once(child, 'close')
  })
  return { shown: (text) => eventually(() => (stdout.includes(text) ? stdout : undefined), text, 5_000) }
}

const NO_BUNDLE = 'caCertificateRefs: [{ group: "", kind: ConfigMap, name: gone }]'

describe('run', () => {
  it('lists policies and XBackends that are refused, with the reasons', async () => {
    const backend = `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: out, namespace: shop }
spec: { parentRefs: [{ name: web }], rules: [{ backendRefs: [{ group: gateway.networking.x-k8s.io, kind: XBackend, name: api }] }] }
---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackend
metadata: { name: api, namespace: shop }
spec: { type: ExternalHostname, port: { number: 443 }, externalHostname: { hostname: 192.0.2.1 } }
`
    const { path } = folder({ 'a.yaml': `${gateway}${service}${tlsPolicy('lost', 'name: payments', NO_BUNDLE)}${backend}` })
    const text = await runFor(path).shown('health, metrics')
    const refused = text.slice(text.indexOf('\nRefused\n'), text.indexOf('\nTry\n'))
    expect(refused).toContain('BackendTLSPolicy shop/lost: Accepted False NoValidCACertificate\n    ConfigMap shop/gone')
    expect(refused).toContain('XBackend shop/api: Accepted False Invalid\n')
  })

  it('says of a policy that is edited whether it is refused, and when no Gateway has to do with it any more', async () => {
    const place = folder({ 'a.yaml': gateway + service, 'p.yaml': tlsPolicy('pay', 'name: payments, sectionName: https') })
    const { shown } = runFor(place.path)
    expect(await shown('health, metrics')).not.toContain('Refused')
    place.write('p.yaml', tlsPolicy('pay', 'name: payments, sectionName: https', NO_BUNDLE))
    await shown('BackendTLSPolicy shop/pay: Accepted False NoValidCACertificate')
    place.write('p.yaml', tlsPolicy('pay', 'name: payments'))
    await shown('BackendTLSPolicy shop/pay: ok')
    place.write('p.yaml', tlsPolicy('pay', 'name: paymnts'))
    const text = await shown('policy-target-not-defined')
    expect(text).toContain('BackendTLSPolicy/shop/pay: no Gateway has to do with it any more')
    place.write('p.yaml', '')
    await shown('mended   Service shop/paymnts is not defined here')
  })
})
