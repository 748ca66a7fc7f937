import { describe, expect, it } from 'vitest'
import { runCommand } from '../../harness/command.ts'
import { folder } from '../../unit/sources/folder.ts'

/** `#0` is what a claim would choose. */
function manifests(header: string): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: g }
spec: { gatewayClassName: gatewright, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r }
spec:
  parentRefs: [{ name: g }]
  rules:
    - matches: [{ headers: [{ name: ${header}, value: inside }] }]
      backendRefs: [{ name: inside, port: 80 }]
    - backendRefs: [{ name: outside, port: 80 }]
`
}

interface Explained {
  request: { dropped: string[] }
  answers: { explanation: { winner: { rule: string } } }[]
}

async function explained(header: string, ...flags: string[]): Promise<{ rule: string | undefined; dropped: string[] }> {
  const { path } = folder({ 'all.yaml': manifests(header) })
  const { stdout } = await runCommand([
    'explain',
    path,
    '--request',
    'GET http://a.example/',
    '-H',
    `${header}: inside`,
    ...flags,
    '-o',
    'json',
  ])
  const { request, answers } = JSON.parse(stdout) as Explained
  return { rule: answers[0]?.explanation.winner.rule, dropped: request.dropped }
}

describe('what a client says of itself', () => {
  it.concurrent.each(['X-Forwarded-For', 'x-forwarded-proto', 'X-Forwarded-Anything', 'Forwarded', 'X-Real-IP', 'X-Request-Id'])(
    'in %s is dropped by explain as by the gateway, unless the client is trusted',
    async (header) => {
      const [nobody, trusted] = await Promise.all([explained(header), explained(header, '--trusted')])
      expect(nobody).toEqual({ rule: 'HTTPRoute/default/r#1', dropped: [header] })
      expect(trusted).toEqual({ rule: 'HTTPRoute/default/r#0', dropped: [] })
    },
  )

  it.concurrent('in other headers chooses', async () => {
    expect(await explained('X-Forwarder')).toEqual({ rule: 'HTTPRoute/default/r#0', dropped: [] })
  })

  it.concurrent('with a _ for a - is dropped whoever the client is', async () => {
    const { path } = folder({ 'all.yaml': manifests('X-Other') })
    const ask = [
      'explain',
      path,
      '--request',
      'GET http://a.example/',
      '-H',
      'X_Forwarded_For: inside',
      '-H',
      'Forwarded: by=me',
      '--trusted',
    ]
    const { stdout } = await runCommand(ask)
    expect(stdout).toContain('header X_Forwarded_For is dropped before a route is chosen')
    expect(stdout).not.toContain('header Forwarded')
  })
})
