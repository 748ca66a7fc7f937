/** `gatewright run --workers` and `gatewright proxy --workers`, the real commands: what their processes do and how they end. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { controllerName, identityOf } from '../../../src/delivery/messages.ts'
import { StreamServer } from '../../../src/delivery/stream-server.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { makeAuthority, makeClientLeaf, makeLeaf } from '../../../src/x509/certificate.ts'
import { startBackend } from '../../harness/backend.ts'
import { runCommand, spawnCommand } from '../../harness/command.ts'
import { freePort, gatewayConfig, gatewayName, httpListener, pool, routeTo } from '../../harness/data-plane.ts'
import { eventually } from '../../harness/eventually.ts'
import { RawClient } from '../../harness/raw-client.ts'
import { isAlive } from '../../harness/workers.ts'

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'gatewright-workers-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

async function backend() {
  const started = await startBackend('web')
  onTestFinished(() => started.stop())
  return started
}

const manifests = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge }
spec:
  gatewayClassName: any
  listeners: [{ name: http, port: 80, protocol: HTTP }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web }
spec:
  parentRefs: [{ name: edge }]
  rules: [{ backendRefs: [{ name: web, port: 80 }] }]
`

function start(args: readonly string[]) {
  const child = spawnCommand(args)
  onTestFinished(() => void child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text: string) => (stdout += text))
  child.stderr.on('data', (text: string) => (stderr += text))
  const closed = once(child, 'close')
  const workers = (): number[] => {
    const pid = child.pid ?? 0
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  }
  return { child, closed, workers, stdout: () => stdout, stderr: () => stderr }
}

async function runWorkers(backendPort: number, ...more: readonly string[]) {
  const files = folder()
  writeFileSync(join(files, 'all.yaml'), manifests)
  const port = await freePort()
  const places = ['--port', `80=${port}`, '--service', `default/web:80=127.0.0.1:${backendPort}`, '--state-dir', folder()]
  const running = start(['run', files, '--workers', '2', '-o', 'json', ...places, ...more])
  await eventually(() => running.stdout().includes('"ready"') || running.child.exitCode !== null, `the line that says ready`, 10_000)
  return { ...running, files, port }
}

async function clientsOf(port: number, count: number): Promise<RawClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => RawClient.plain(port)))
  onTestFinished(async () => {
    for (const client of clients) await client.close()
  })
  return clients
}

/** Whether a socket of this machine listens on 127.0.0.1 and the port. */
function isListening(port: number): boolean {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`
  return readFileSync('/proc/net/tcp', 'utf8').includes(local)
}

describe('run --workers 2', () => {
  it('serves in two processes of its own, follows its files, and ends with them', async () => {
    const { port: backendPort } = await backend()
    const gateway = await runWorkers(backendPort)
    const clients = await clientsOf(gateway.port, 4)
    for (const client of clients) expect(await client.get('a.example')).toMatchObject({ status: 200, body: 'web' })
    const pids = gateway.workers()
    expect(pids).toHaveLength(2)
    writeFileSync(join(gateway.files, 'all.yaml'), manifests.replace('backendRefs', 'matches: [{ path: { value: /new } }], backendRefs'))
    await eventually(() => gateway.stdout().includes('"changed"'), 'the change', 10_000)
    for (const client of clients) {
      expect((await client.get('a.example', '/')).status).toBe(404)
      expect((await client.get('a.example', '/new')).status).toBe(200)
    }
    gateway.child.kill('SIGTERM')
    expect(await gateway.closed).toEqual([0, null])
    expect(pids.filter(isAlive)).toEqual([])
    expect(gateway.stderr()).toBe('')
  })

  it('finds shadowed rules as without workers', async () => {
    const { port: backendPort } = await backend()
    const files = folder()
    const shadowed = manifests.replace(
      'rules: [{',
      'rules: [{ matches: [{ path: { value: /a } }] }, { matches: [{ path: { value: /a } }] }, {',
    )
    writeFileSync(join(files, 'all.yaml'), shadowed)
    const admin = await freePort()
    const places = ['--port', `80=${await freePort()}`, '--service', `default/web:80=127.0.0.1:${backendPort}`, '--state-dir', folder()]
    const gateway = start(['run', files, '--workers', '2', '-o', 'json', '--admin-port', String(admin), ...places])
    await eventually(() => gateway.stdout().includes('"ready"'), 'the line that says ready', 10_000)
    const findings = await (await fetch(`http://127.0.0.1:${admin}/findings`)).text()
    expect(findings).toContain('match-shadowed')
    const pools = await (await fetch(`http://127.0.0.1:${admin}/pools`)).json()
    expect(pools).toMatchObject([{ pool: 'Service/default/web:80', endpoints: [{ health: 'available' }] }])
  })

  it('writes whole lines of the access log, from both workers', async () => {
    const { port: backendPort } = await backend()
    const gateway = await runWorkers(backendPort, '--access-log', 'json')
    const clients = await clientsOf(gateway.port, 6)
    await Promise.all(
      clients.map(async (client, i) => {
        for (let n = 0; n < 100; n += 1) await client.get('a.example', `/${i}/${n}/${'x'.repeat(3_000)}`)
      }),
    )
    gateway.child.kill('SIGTERM')
    await gateway.closed
    const lines = gateway.stderr().trim().split('\n')
    const targets = lines.map((line) => (JSON.parse(line) as { target: string }).target.split('/').slice(1, 3).join('/'))
    expect(new Set(targets).size).toBe(600)
    expect(lines).toHaveLength(600)
  })

  it('ends at once when it is asked twice', async () => {
    const web = await backend()
    const gateway = await runWorkers(web.port)
    const pids = gateway.workers()
    const [client] = await clientsOf(gateway.port, 1)
    web.hold()
    const answer = client?.get('a.example').catch(() => 'broken')
    await web.seen(1)
    gateway.child.kill('SIGINT')
    await eventually(() => gateway.stderr().includes('draining'), 'the notice', 5_000)
    expect(pids.filter(isAlive)).not.toEqual([])
    gateway.child.kill('SIGINT')
    expect(await gateway.closed).toEqual([130, null])
    await eventually(() => pids.filter(isAlive).length === 0, 'the end of the workers')
    expect(await answer).toBe('broken')
  })

  it('[wire:worker-drain] leaves no worker behind when it is killed', async () => {
    const { port: backendPort } = await backend()
    const gateway = await runWorkers(backendPort)
    const pids = gateway.workers()
    const [client] = await clientsOf(gateway.port, 1)
    await client?.get('a.example')
    gateway.child.kill('SIGKILL')
    await eventually(() => pids.filter(isAlive).length === 0, 'the end of the workers')
    await client?.closed
  })

  it('does not leave its worker to a signal that a terminal sends to both', async () => {
    const web = await backend()
    const gateway = await runWorkers(web.port)
    const [client] = await clientsOf(gateway.port, 1)
    web.hold()
    const answer = client?.get('a.example')
    await web.seen(1)
    for (const pid of gateway.workers()) process.kill(pid, 'SIGINT')
    gateway.child.kill('SIGINT')
    await eventually(() => gateway.stderr().includes('draining'), 'the notice', 5_000)
    web.release()
    expect(await answer).toMatchObject({ status: 200, body: 'web' })
    expect(await gateway.closed).toEqual([0, null])
  })

  it('refuses a number that is none in one line', async () => {
    for (const count of ['0', '65', 'two']) {
      const { code, stderr } = await runCommand(['run', folder(), '--workers', count])
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: `gatewright: Cannot start workers: --workers must be a number from 1 to 64, got ${count}\n`,
      })
    }
  })
})

describe('proxy --workers 2', () => {
  it('[wire:worker-drain] is ready and acknowledges when both serve, and loses no request when it is asked to end', async () => {
    const validity = { from: new Date(Date.now() - 3_600_000), until: new Date(Date.now() + 3_600_000) }
    const authority = makeAuthority('stream', validity)
    const { certificate, key } = makeLeaf(authority, [controllerName], [], validity)
    const credentials = { certificate, key: new Secret(key), authority: authority.certificate }
    const server = new StreamServer({ credentials, uidOf: () => 'uid', logger: silentLogger, onChange: () => {} })
    const controllerPort = await server.listen('127.0.0.1', 0)
    onTestFinished(() => server.close())
    const pod = folder()
    const leaf = makeClientLeaf(authority, 'proxy', identityOf({ gateway: gatewayName, uid: 'uid' }), validity)
    for (const [name, text] of [
      ['tls.crt', leaf.certificate],
      ['tls.key', leaf.key],
      ['ca.crt', authority.certificate],
    ] as const)
      writeFileSync(join(pod, name), text)

    const [port, admin, web] = [await freePort(), await freePort(), await backend()]
    const options = {
      gateway: gatewayName,
      controller: `127.0.0.1:${controllerPort}`,
      credentials: pod,
      state: pod,
      address: '127.0.0.1',
      workers: '2',
      'drain-delay': '500',
      'access-log': 'off',
      'admin-address': '127.0.0.1',
      'admin-port': String(admin),
    }
    const proxy = start(['proxy', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])])
    const status = async (path: string): Promise<string> => {
      const answer = await fetch(`http://127.0.0.1:${admin}${path}`).catch(() => undefined)
      return answer === undefined ? 'nobody' : `${answer.status} ${await answer.text()}`
    }
    await expect.poll(() => status('/readyz'), { timeout: 10_000 }).toContain('503 no configuration has come yet')
    const listener = httpListener(port)
    const target = pool('web', web.port)
    const config = gatewayConfig({ listeners: [listener], routes: [routeTo(target, [listener])], pools: [target] })
    server.publish([config], new Map([[config.gateway, 'v1']]), new Map())
    await expect.poll(() => status('/readyz'), { timeout: 10_000 }).toContain('200')
    expect(server.proxiesOf(gatewayName)).toMatchObject([{ version: 'v1', result: { ports: [{ port }], failedPorts: [] } }])
    expect(await status('/metrics')).toContain('\ngatewright_workers 2\n')

    const clients = await clientsOf(port, 6)
    for (const client of clients) expect((await client.get('a.example')).status).toBe(200)
    const pids = proxy.workers()
    web.hold()
    const before = web.requests.length
    const answers = clients.map((client) => client.get('a.example'))
    await web.seen(before + 6)
    proxy.child.kill('SIGTERM')
    await expect.poll(() => status('/readyz'), { timeout: 2_000 }).toContain('503 draining')
    // Who comes before clients have seen that is served.
    const [late] = await clientsOf(port, 1)
    if (late !== undefined) answers.push(late.get('a.example'))
    await web.seen(before + 7)
    await eventually(() => !isListening(port), 'the drain to begin')
    web.release()
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ status: 200, body: 'web' })
      expect(answer.headers.get('connection')).toBe('close')
    }
    expect(await proxy.closed).toEqual([0, null])
    expect(pids).toHaveLength(2)
    expect(pids.filter(isAlive)).toEqual([])
  })
})
