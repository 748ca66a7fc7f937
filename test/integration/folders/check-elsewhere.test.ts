/** `check` on folders that are not a whole cluster: what lies elsewhere is a warning, what contradicts itself an error. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { runCommand } from '../../harness/command.ts'
import { RunningGateway } from '../../harness/running-gateway.ts'
import { folderOf, gateway, gatewayClass, route, service } from './folder.ts'

interface Finding {
  readonly code: string
  readonly severity: string
  readonly message: string
  readonly fix?: { readonly text: string }
}

async function check(files: Readonly<Record<string, string>>): Promise<{ code: number | null; findings: readonly Finding[] }> {
  const { code, stdout } = await runCommand(['check', folderOf(files), '-o', 'json'])
  return { code, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings }
}

const listener = '{name: http, protocol: HTTP, port: 80, allowedRoutes: {namespaces: {from: All}}}'
const httpsListener = '{name: https, protocol: HTTPS, port: 443, hostname: a.example.com, tls: {certificateRefs: [{name: a-tls}]}}'

describe('check on a folder whose Gateway lies elsewhere', () => {
  it('warns of the missing Gateway and nothing else', async () => {
    const { code, findings } = await check({ 'route.yaml': route('web', 'backendRefs: [{name: web, port: 80}]', service('web', 80)) })
    expect(findings.map((finding) => `${finding.severity} ${finding.code}`)).toEqual(['warning parent-not-found'])
    expect(code).toBe(0)
  })

  it('finds the wrong port of a Service behind it', async () => {
    const { code, findings } = await check({ 'route.yaml': route('web', 'backendRefs: [{name: web, port: 8080}]', service('web', 80)) })
    const errors = findings.filter(({ severity }) => severity === 'error')
    expect(errors.map((finding) => finding.message)).toEqual([
      expect.stringContaining('Service shop/web has no port 8080 (TCP); it has 80.'),
    ])
    expect(code).toBe(1)
  })

  it('finds the missing ReferenceGrant behind it', async () => {
    const { code, findings } = await check({ 'route.yaml': route('web', 'backendRefs: [{name: api, namespace: backend, port: 80}]') })
    expect(findings.filter(({ severity }) => severity === 'error').map((finding) => finding.code)).toEqual(['ResolvedRefs-RefNotPermitted'])
    expect(code).toBe(1)
  })

  it('finds what is wrong with a listener whose class is in no file', async () => {
    const { code, findings } = await check({ 'gateway.yaml': gateway(`${listener}, {name: ftp, protocol: FTP, port: 21}`) })
    expect(findings.map((finding) => `${finding.severity} ${finding.code}`)).toEqual([
      'warning gateway-class-missing',
      'error Accepted-UnsupportedProtocol',
    ])
    expect(code).toBe(1)
  })
})

describe('check on a mistyped Service', () => {
  const services = `${service('web', 80)}---\n${service('my-app-stable', 80)}`
  const fixes = async (backend: string, more = services) => {
    const { code, findings } = await check({
      'all.yaml': `${gateway(listener)}---\n${gatewayClass}---\n${route('web', `backendRefs: [{name: ${backend}, port: 80}]`)}`,
      'services.yaml': more,
    })
    return { code, findings: findings.map(({ severity, code: what, fix }) => [severity, what, fix?.text]) }
  }

  it('says which one of the folder may be meant and where it is, as a warning, since the folder may be a part', async () => {
    const { code, findings } = await fixes('my-app-stabel')
    expect(findings).toEqual([
      ['warning', 'service-not-defined', expect.stringMatching(/^Did you mean my-app-stable\? \(.*services\.yaml:\d+\)$/)],
    ])
    expect(code).toBe(0)
  })

  it('says nothing of the kind where no name is near, or the very name is in another namespace', async () => {
    expect((await fixes('checkout')).findings).toEqual([['warning', 'service-not-defined', undefined]])
    const elsewhere = services.replaceAll('my-app-stable', 'my-app-stabel').replaceAll('namespace: shop', 'namespace: other')
    expect((await fixes('my-app-stabel', `${elsewhere}---\n${service('my-app-stable', 80)}`)).findings).toEqual([
      ['warning', 'service-not-defined', undefined],
    ])
  })

  it('names one of another namespace with that', async () => {
    const { findings } = await fixes('my-app-stabel', services.replaceAll('namespace: shop', 'namespace: other'))
    expect(findings).toEqual([['warning', 'service-not-defined', expect.stringMatching(/^Did you mean other\/my-app-stable\? /)]])
  })

  it('can fail a build, and the help says when', async () => {
    const folder = folderOf({ 'route.yaml': `${route('web', 'backendRefs: [{name: wbe-shop, port: 80}]')}---\n${service('web-shop', 80)}` })
    expect((await runCommand(['check', folder, '--fail-on', 'warning'])).code).toBe(1)
    expect((await runCommand(['check', '--help'])).stdout).toContain('--fail-on warning lets a mistyped name fail the build')
  })
})

describe('check on a folder that lacks Services and Secrets', () => {
  it('warns once of a Service in no file, whether or not the Gateway is there', async () => {
    const files = { 'route.yaml': route('web', 'backendRefs: [{name: web, port: 80}]') }
    const whole = { ...files, 'gateway.yaml': `${gateway(listener)}---\n${gatewayClass}` }
    expect((await check(files)).findings.map(({ code }) => code)).toEqual(['parent-not-found', 'service-not-defined'])
    const { code, findings } = await check(whole)
    expect(findings.map((finding) => `${finding.severity} ${finding.code}`)).toEqual(['warning service-not-defined'])
    expect(code).toBe(0)
  })

  it('warns of a certificate Secret in no file', async () => {
    const { code, findings } = await check({ 'gateway.yaml': `${gateway(httpsListener)}---\n${gatewayClass}` })
    expect(findings.map((finding) => `${finding.severity} ${finding.code}`)).toEqual(['warning ResolvedRefs-InvalidCertificateRef'])
    expect(code).toBe(0)
  })

  it('says nothing of a Secret that cert-manager makes from a Certificate or an annotation', async () => {
    const certificate = `---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: a, namespace: infra}
spec: {secretName: a-tls, dnsNames: [a.example.com]}
`
    expect((await check({ 'gateway.yaml': `${gateway(httpsListener)}---\n${gatewayClass}${certificate}` })).findings).toEqual([])
    const annotated = gateway(httpsListener, ', annotations: {cert-manager.io/cluster-issuer: main}')
    expect((await check({ 'gateway.yaml': `${annotated}---\n${gatewayClass}` })).findings).toEqual([])
  })

  it('calls a Secret that is there and no certificate an error', async () => {
    const secret =
      '---\napiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {name: a-tls, namespace: infra}\ndata: {tls.crt: Zm9v, tls.key: YmFy}\n'
    const { code, findings } = await check({ 'gateway.yaml': `${gateway(httpsListener)}---\n${gatewayClass}${secret}` })
    expect(findings.map((finding) => `${finding.severity} ${finding.code}`)).toEqual(['error ResolvedRefs-InvalidCertificateRef'])
    expect(code).toBe(1)
  })
})

describe('a Gateway that its file gets wrong', () => {
  const files = {
    'gateway.yaml': `${gateway('{name: a, protocol: HTTP, port: 80}, {name: b, protocol: HTTP, port: 80}')}---\n${gatewayClass}`,
    'route.yaml': route('web', 'backendRefs: [{name: web, port: 80}]', service('web', 80)),
  }

  it('is called refused, not missing', async () => {
    const { findings } = await check(files)
    expect(findings.map(({ code }) => code)).toEqual(['listener-unique', 'parent-not-found'])
    expect(findings[1]?.message).toContain('Gateway infra/public is refused here (its errors say why)')
  })

  it('gets no development Gateway in its place', async () => {
    const gateways = await RunningGateway.start([folderOf(files)])
    onTestFinished(() => void gateways.close())
    expect(gateways.ready.listeners).toEqual([])
  })
})
