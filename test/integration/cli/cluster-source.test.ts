/** `status`, `check`, `translate` and `explain` with a cluster as their source, and `status` of a running `run`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { KubeObject } from '../../../src/kube/kube-api.ts'
import type { TreeNode } from '../../../src/cli/status-tree.ts'
import { runCommand } from '../../harness/command.ts'
import { scriptedApi, serviceObject } from '../../harness/kube.ts'
import { RunningGateway } from '../../harness/running-gateway.ts'

const group = 'gateway.networking.k8s.io'
const apiVersion = `${group}/v1`
const ours = 'gatewright.dev/gateway-controller'

function condition(type: string, status: string, reason: string, message = '', observedGeneration = 1) {
  return { type, status, reason, message, observedGeneration, lastTransitionTime: '2026-01-01T00:00:00Z' }
}

const accepted = [condition('Accepted', 'True', 'Accepted'), condition('Programmed', 'True', 'Programmed')]
const gatewayClass = {
  apiVersion,
  kind: 'GatewayClass',
  metadata: { name: 'gatewright' },
  spec: { controllerName: ours },
  status: { conditions: [condition('Accepted', 'True', 'Accepted')] },
}
const gateway = {
  apiVersion,
  kind: 'Gateway',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    gatewayClassName: 'gatewright',
    listeners: [{ name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'Same' } } }],
  },
  status: {
    addresses: [{ type: 'IPAddress', value: '10.0.0.5' }],
    conditions: accepted,
    listeners: [{ name: 'http', attachedRoutes: 1, supportedKinds: [], conditions: accepted }],
  },
}

function route(name: string, namespace: string, verdict: readonly object[]): KubeObject {
  const parentRef = { group, kind: 'Gateway', namespace: 'shop', name: 'web' }
  const spec = { parentRefs: [parentRef], hostnames: [`${name}.example.com`], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] }
  const parents = [{ parentRef, controllerName: ours, conditions: verdict }]
  return { apiVersion, kind: 'HTTPRoute', metadata: { name, namespace }, spec, status: { parents } }
}

const refused = condition('Accepted', 'False', 'NotAllowedByListeners', 'No listener admits routes of namespace other.\nAdd: ...')

async function world() {
  const api = await scriptedApi()
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-cluster-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const kubeconfig = join(folder, 'config')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [
      { name: 'here', context: { cluster: 'c', user: 'u', namespace: 'shop' } },
      { name: 'nowhere', context: { cluster: 'gone', user: 'u' } },
    ],
    clusters: [
      { name: 'c', cluster: { server: api.url } },
      { name: 'gone', cluster: { server: 'http://127.0.0.1:9' } },
    ],
    users: [{ name: 'u', user: {} }],
  }
  writeFileSync(kubeconfig, JSON.stringify(config))
  for (const name of ['shop', 'other']) api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  for (const object of [gatewayClass, gateway, route('shop', 'shop', [accepted[0] ?? {}]), route('stranger', 'other', [refused])])
    api.put(object)
  api.put(serviceObject('web'))
  api.put({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [
      { addresses: ['10.1.0.1'], conditions: { ready: true } },
      { addresses: ['10.1.0.2'], conditions: { ready: false } },
    ],
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
  })
  const command = async (name: string, ...args: readonly string[]) => await runCommand([name, '--kubeconfig', kubeconfig, ...args])
  return { api, command, kubeconfig }
}

function flat(tree: readonly TreeNode[]): TreeNode[] {
  return tree.flatMap((node) => [node, ...flat(node.children)])
}

describe('gatewright status of a cluster', () => {
  it('shows what the statuses say from the class to the backend, and fails while something is wrong', async () => {
    const { command } = await world()
    const { code, stdout, stderr } = await command('status', '-A')
    expect(stderr).toBe('')
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'GatewayClass gatewright          gatewright.dev/gateway-controller  ok',
      '└─ Gateway shop/web              10.0.0.5                           ok',
      '   ├─ listener http              HTTP 80, 1 route                   ok',
      '   │  └─ HTTPRoute shop/shop     shop.example.com                   ok',
      '   │     └─ Service shop/web:80  1 endpoint ready of 2              ok',
      '   └─ HTTPRoute other/stranger   stranger.example.com               Accepted False NotAllowedByListeners',
      '      │   No listener admits routes of namespace other.',
      '      └─ Service other/web:80                                       does not exist',
      '             No Service of this name exists.',
      '',
      '2 are not as they should be',
      '',
    ])
    expect(code).toBe(1)
  })

  it('of one namespace leaves others out, and is that of the context unless another is named', async () => {
    const { command } = await world()
    const shop = await command('status', '-o', 'json')
    expect(shop.code).toBe(1)
    const other = flat(JSON.parse((await command('status', '-n', 'other', '-o', 'json')).stdout) as TreeNode[])
    expect(other.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'GatewayClass gatewright',
      'Gateway web',
      'HTTPRoute stranger',
      'Service web:80',
    ])
    const empty = await command('status', '-n', 'empty')
    expect(empty).toMatchObject({ code: 0, stdout: 'no Gateway or route in namespace empty; -A shows those of all namespaces\n' })
  })

  it('tells what has no status, and what has one of before', async () => {
    const { api, command } = await world()
    api.put({ ...gateway, metadata: { name: 'new', namespace: 'shop' }, status: {} })
    api.edit('HTTPRoute', 'shop', 'shop', { spec: { hostnames: ['b.example.com'] } })
    api.put({
      ...gateway,
      metadata: { name: 'lost', namespace: 'shop' },
      spec: { ...gateway.spec, gatewayClassName: 'none' },
    })
    const nodes = flat(JSON.parse((await command('status', '-A', '-o', 'json')).stdout) as TreeNode[])
    const stateOf = (kind: string, name: string) => nodes.find((node) => node.kind === kind && node.name === name)?.state
    expect(stateOf('Gateway', 'new')).toBe('no status')
    expect(stateOf('HTTPRoute', 'shop')).toBe('out of date')
    expect(stateOf('GatewayClass', 'none')).toBe('does not exist')
    expect(stateOf('Gateway', 'web')).toBe('ok')
  })

  it('says in a line that the cluster cannot be reached, and what may not be read', async () => {
    const { api, command } = await world()
    const gone = await command('status', '--context', 'nowhere')
    expect(gone.code).toBe(2)
    expect(gone.stderr).toMatch(/^gatewright: Cannot [^\n]+\n$/)
    const mistyped = await command('status', '--context', 'typo')
    expect(mistyped.stderr).toBe('gatewright: Cannot reach the API server: context "typo" must be one of here, nowhere\n')
    api.fail({ kind: 'GRPCRoute' }, { status: 403, reason: 'Forbidden', message: 'not you' }, Infinity)
    const partly = await command('status', '-A')
    expect(partly.stdout).toContain('Gateway shop/web')
    expect(partly.stderr).toContain('Cannot list the objects of kind GRPCRoute')
    expect(partly.code).toBe(1)
  })
})

describe('a cluster as the source', () => {
  it('of check: what is not there is missing, and other controllers are left alone', async () => {
    const { api, command } = await world()
    api.put({ ...gatewayClass, metadata: { name: 'foreign' }, spec: { controllerName: 'example.com/other' } })
    api.put({
      ...gateway,
      metadata: { name: 'theirs', namespace: 'shop' },
      spec: { ...gateway.spec, gatewayClassName: 'foreign' },
    })
    const { code, stdout } = await command('check')
    expect(stdout).toContain('Accepted is False (NotAllowedByListeners)')
    expect(stdout).toContain('objects of the cluster')
    expect(stdout).not.toContain('theirs')
    expect(code).toBe(1)
  })

  it('of translate and explain: what its controller would serve', async () => {
    const { command } = await world()
    const { stdout, code } = await command('translate', '-o', 'json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      config: [{ gateway: 'shop/web', pools: [{ endpoints: [{ address: '10.1.0.1', port: 8080 }] }] }],
    })
    const explained = await command('explain', '--request', 'GET http://shop.example.com/')
    expect(explained.code).toBe(0)
    expect(explained.stdout).toContain('10.1.0.1:8080')
    const stranger = await command('explain', '--request', 'GET http://stranger.example.com/')
    expect(stranger.code).toBe(1)
    expect(stranger.stdout).toContain('NotAllowedByListeners')
  })

  it('is not mixed with files', async () => {
    const { command } = await world()
    const { code, stderr } = await command('check', 'examples/canary')
    expect(code).toBe(2)
    expect(stderr).toBe(
      'gatewright: Cannot look at both: name files, or a cluster with --kubeconfig or --context, got examples/canary and a cluster\n',
    )
  })
})

describe('gatewright status --admin', () => {
  it('shows the tree of a running folder', async () => {
    const running = await RunningGateway.start(['examples/canary'])
    onTestFinished(async () => void (await running.close()))
    const { code, stdout } = await runCommand(['status', '--admin', running.ready.admin])
    expect(stdout).toMatch(/Gateway [\w-]+\/[\w-]+ +127\.0\.0\.1 +ok/)
    expect(stdout).toMatch(/Service app-team-alpha\/my-app-stable:80 +weight 90, 1 endpoint +ok/)
    expect(stdout).toMatch(/all is well\n$/)
    expect(code).toBe(0)
  })

  it('says what the address must be', async () => {
    const { code, stderr } = await runCommand(['status', '--admin', 'http://127.0.0.1:9'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^gatewright: Cannot show the status: --admin must be the admin address that `gatewright run` printed, got /)
  })
})
