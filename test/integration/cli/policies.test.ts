import { describe, expect, it } from 'vitest'
import { runCommand } from '../../harness/command.ts'
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
