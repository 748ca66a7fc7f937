import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { styleFor } from '../../../src/cli/style.ts'
import { runCommand, spawnCommand } from '../../harness/command.ts'
import { eventually } from '../../harness/eventually.ts'
import { ExampleCopy } from '../../harness/example-copy.ts'
import { freePort, RunningGateway } from '../../harness/running-gateway.ts'
import { folder } from '../../unit/sources/folder.ts'

const teams = 'examples/multi-team'
const request = ['--request', 'GET http://lab.example.com/']

describe('output for programs', () => {
  const commands: Readonly<Record<string, { args: readonly string[]; code: number; keys: readonly string[] }>> = {
    check: { args: ['check', teams], code: 1, keys: ['findings', 'files', 'objects'] },
    translate: { args: ['translate', teams], code: 0, keys: ['statuses', 'config', 'infra'] },
    explain: { args: ['explain', teams, ...request], code: 1, keys: ['request', 'port', 'answers', 'refused', 'notes', 'pools'] },
  }
  it.concurrent.each(Object.entries(commands))('of %s is the same as JSON and as YAML', async (_name, { args, code, keys }) => {
    const [json, yaml] = await Promise.all(['json', 'yaml'].map((format) => runCommand([...args, '-o', format])))
    expect([json?.code, yaml?.code]).toEqual([code, code])
    const value: unknown = JSON.parse(json?.stdout ?? '')
    expect(Object.keys(value as object)).toEqual(keys)
    expect(parse(yaml?.stdout ?? '')).toEqual(value)
  })

  it('of check is SARIF 2.1.0 that code review tools take', async () => {
    const { code, stdout } = await runCommand(['check', teams, '-o', 'sarif'])
    expect(code).toBe(1)
    const { $schema, version, runs } = JSON.parse(stdout) as Record<'$schema' | 'version', string> & { runs: unknown[] }
    expect([version, $schema]).toEqual(['2.1.0', expect.stringContaining('sarif-2.1.0')])
    const [{ tool, results }] = runs as [
      { tool: { driver: { name: string; rules: { id: string }[] } }; results: Record<string, unknown>[] },
    ]
    expect(tool.driver.name).toBe('gatewright')
    expect(results.length).toBe(2)
    for (const result of results) {
      expect(result).toMatchObject({
        level: expect.toBeOneOf(['error', 'warning', 'note']),
        message: { text: expect.stringMatching(/./) },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: expect.stringMatching(/^examples\/multi-team\/[\w-]+\.yaml$/) },
              region: { startLine: expect.toSatisfy((line) => line > 1), startColumn: expect.toSatisfy((column) => column > 0) },
            },
          },
        ],
      })
      expect(tool.driver.rules[Number(result['ruleIndex'])]?.id).toBe(result['ruleId'])
    }
  })

  it('of translate is the same every time, without times, keys and kindnesses', async () => {
    const secret = folder({
      'secret.yaml':
        'apiVersion: v1\nkind: Secret\nmetadata: { name: www-example-com, namespace: web }\ntype: kubernetes.io/tls\nstringData: { tls.crt: broken, tls.key: do-not-print }\n',
    })
    const both = await Promise.all([1, 2].map(() => runCommand(['translate', 'examples/tls', secret.path])))
    expect(both[0]?.stdout).toBe(both[1]?.stdout)
    expect(both[0]?.stdout).toContain('InvalidCertificateRef')
    for (const never of ['do-not-print', 'lastTransitionTime', '127.0.0.1', 'development']) expect(both[0]?.stdout).not.toContain(never)
  })

  it('of run is a line that says ready, with the place of every listener', async () => {
    const gateway = await RunningGateway.start(['examples/tls'])
    onTestFinished(async () => void (await gateway.close()))
    const place = { gateway: 'web', namespace: 'web', listenerSet: null, address: '127.0.0.1', port: expect.any(Number) }
    expect(gateway.ready).toEqual({
      ready: true,
      admin: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      listeners: [
        { ...place, listener: 'http', protocol: 'HTTP', hostname: '' },
        { ...place, listener: 'site', protocol: 'HTTPS', hostname: 'www.example.com' },
        { ...place, listener: 'blogs', protocol: 'HTTPS', hostname: '*.blogs.example.com' },
      ],
    })
  })

  it('of run says of a listener from which ListenerSet it is', async () => {
    const gateway = await RunningGateway.start(['examples/listener-set'])
    onTestFinished(async () => void (await gateway.close()))
    const { listeners } = gateway.ready
    expect(listeners.map((one) => [one.namespace, one.gateway, one.listenerSet, one.listener])).toEqual([
      ['platform', 'shared', null, 'status'],
      ['platform', 'shared', 'store/store', 'http'],
      ['platform', 'shared', 'store/store', 'https'],
      ['platform', 'shared', 'outlet/outlet', 'outlet'],
    ])
  })

  it('of explain names the ListenerSet whose listener takes a request, and why another one is not there', async () => {
    const taken = await runCommand(['explain', 'examples/listener-set', '--request', 'GET http://store.example.com/'])
    expect(taken.stdout).toMatch(/listener +ListenerSet\/store\/store\/http \(store\.example\.com\)/)
    const refused = await runCommand(['explain', 'examples/listener-set', '--request', 'GET http://lab.example.com/'])
    expect(refused.stdout).toContain('HTTPRoute/lab/lab on ListenerSet lab/lab: NoMatchingParent')
  })

  it('of explain follows gatewright.yaml of the folder as run does, and a flag wins over it', async () => {
    const names = ['mapped', 'nobody']
    const rules = names.map((name) => `{ matches: [{ path: { value: /${name} } }], backendRefs: [{ name: ${name}, port: 80 }] }`)
    const place = folder({
      'a.yaml': `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web }
spec: { gatewayClassName: any, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web }
spec: { parentRefs: [{ name: web }], rules: [${rules.join(', ')}] }
${names.map((name) => `---\napiVersion: v1\nkind: Service\nmetadata: { name: ${name} }\nspec: { ports: [{ port: 80 }] }\n`).join('')}`,
      'gatewright.yaml': 'services: { "default/mapped:80": "127.0.0.1:3000" }\nports: { 80: 9080 }\necho: false\n',
    })
    const asked = async (url: string, ...more: readonly string[]) => {
      const { code, stdout } = await runCommand(['explain', place.path, '--request', `GET ${url}`, '-o', 'json', ...more])
      const { pools } = JSON.parse(stdout) as { pools: { endpoints: { endpoint: string }[] }[] }
      return { code, endpoints: pools.map(({ endpoints }) => endpoints.map(({ endpoint }) => endpoint)) }
    }
    expect(await asked('http://a.example:9080/mapped')).toEqual({ code: 0, endpoints: [['127.0.0.1:3000']] })
    expect(await asked('http://a.example:9080/nobody')).toEqual({ code: 0, endpoints: [[]] })
    expect(await asked('http://a.example:9081/mapped')).toMatchObject({ code: 1 })
    const flags = ['--service', 'default/mapped:80=127.0.0.1:4000', '--port', '80=9081']
    expect(await asked('http://a.example:9081/mapped', ...flags)).toEqual({ code: 0, endpoints: [['127.0.0.1:4000']] })
    place.write('gatewright.yaml', 'echoes: false\n')
    const { code, stderr } = await runCommand(['explain', place.path, ...request])
    expect([code, stderr]).toEqual([2, expect.stringContaining('gatewright.yaml:1:1: Cannot read settings')])
  })

  it('of check says who came first, and takes the missing Secret of a ListenerSet for one that the cluster has', async () => {
    const { stdout } = await runCommand(['check', 'examples/listener-set'])
    expect(stdout).toMatch(/error .*ListenerSet outlet\/outlet: listener store: .*listener "http" of ListenerSet store\/store came first/)
    expect(stdout).toMatch(/warning .*ListenerSet store\/store: listener https: ResolvedRefs is False \(InvalidCertificateRef\)/)
    expect(stdout).toMatch(/error .*ListenerSet lab\/lab: Accepted is False \(NotAllowed\)/)
  })

  it('of run as YAML is a document when ready and one for each change', async () => {
    const files = new ExampleCopy('matching')
    const child = spawnCommand(['run', files.path, '-o', 'yaml', '--port', `80=${await freePort()}`])
    onTestFinished(() => void child.kill('SIGKILL'))
    let stdout = ''
    child.stdout.on('data', (text: string) => {
      stdout += text
    })
    await eventually(() => stdout.includes('listeners:'), 'the first document', 5_000)
    files.save('route.yaml', files.read('route.yaml').replace('name: web', 'name: nobody'))
    await eventually(() => stdout.includes('findings:'), 'the change', 5_000)
    child.kill('SIGTERM')
    await once(child, 'close')
    const [ready, change] = parseAllDocuments(stdout).map((document): unknown => document.toJS())
    expect(ready).toMatchObject({ ready: true, listeners: [{ listener: 'http' }] })
    expect(change).toMatchObject({ changed: true, statuses: expect.arrayContaining([expect.objectContaining({ kind: 'HTTPRoute' })]) })
  })
})

describe('output for a person', () => {
  it('has no escape codes where nobody looks at a terminal', async () => {
    const results = await Promise.all([
      runCommand(['check', teams]),
      runCommand(['explain', teams, ...request]),
      runCommand(['translate', teams]),
      runCommand(['run', join(teams, 'nowhere')]),
      runCommand(['--help']),
    ])
    for (const { stdout, stderr } of results) expect(stdout + stderr).not.toContain('\u001b')
  })

  it('has colours on a terminal, and none with NO_COLOR or TERM=dumb', () => {
    const terminal = { isTTY: true }
    expect(styleFor(terminal, {}).red('no')).toBe('\u001b[31mno\u001b[39m')
    expect(styleFor(terminal, { NO_COLOR: '1' }).red('no')).toBe('no')
    expect(styleFor(terminal, { TERM: 'dumb' }).red('no')).toBe('no')
    expect(styleFor({}, {}).red('no')).toBe('no')
  })
})

describe('the exit status', () => {
  it('of check is 1 for errors, and for warnings when they are to fail', async () => {
    // A Gateway whose class lies elsewhere: a warning, no error.
    const place = folder({
      'g.yaml':
        'apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: g }\nspec: { gatewayClassName: elsewhere, listeners: [{ name: http, port: 80, protocol: HTTP }] }\n',
    })
    const codes = await Promise.all(
      [['examples/matching'], [place.path], [place.path, '--fail-on', 'warning'], [teams]].map(
        async (args) => (await runCommand(['check', ...args])).code,
      ),
    )
    expect(codes).toEqual([0, 0, 1, 1])
  })

  it('of explain is 1 for a request that nothing takes', async () => {
    const ask = async (url: string) => (await runCommand(['explain', teams, '--request', `GET ${url}`])).code
    expect(await Promise.all([ask('http://store.example.com/'), ask('http://lab.example.com/')])).toEqual([0, 1])
  })
})
