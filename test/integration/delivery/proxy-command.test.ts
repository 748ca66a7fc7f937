/** `gatewright proxy`, the real command: ready when it serves, serving whatever becomes of the controller, and its end. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { GatewayConfig } from '../../../src/config/config.ts'
import { controllerName, identityOf } from '../../../src/delivery/messages.ts'
import { StreamServer } from '../../../src/delivery/stream-server.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { makeAuthority, makeClientLeaf, makeLeaf } from '../../../src/x509/certificate.ts'
import { startBackend } from '../../harness/backend.ts'
import { runCommand, spawnCommand } from '../../harness/command.ts'
import { freePort, gatewayConfig, gatewayName, httpListener, pool, routeTo } from '../../harness/data-plane.ts'
import { eventually } from '../../harness/eventually.ts'

const validity = { from: new Date(Date.now() - 3_600_000), until: new Date(Date.now() + 3_600_000) }
const authority = makeAuthority('stream', validity)

async function controller(port = 0) {
  const { certificate, key } = makeLeaf(authority, [controllerName], [], validity)
  const server = new StreamServer({
    credentials: { certificate, key: new Secret(key), authority: authority.certificate },
    uidOf: () => 'uid',
    logger: silentLogger,
    onChange: () => {},
  })
  const listens = await server.listen('127.0.0.1', port)
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => (closed ??= server.close())
  onTestFinished(close)
  const publish = (version: string, config: GatewayConfig): void =>
    server.publish([config], new Map([[config.gateway, version]]), new Map())
  return { server, port: listens, close, publish }
}

function podFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-pod-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const { certificate, key } = makeClientLeaf(authority, 'proxy', identityOf({ gateway: gatewayName, uid: 'uid' }), validity)
  writeFileSync(join(folder, 'tls.crt'), certificate)
  writeFileSync(join(folder, 'tls.key'), key)
  writeFileSync(join(folder, 'ca.crt'), authority.certificate)
  return folder
}

async function startProxy(folder: string, controllerPort: number) {
  const admin = await freePort()
  const options = {
    gateway: gatewayName,
    pod: 'pod-1',
    controller: `127.0.0.1:${controllerPort}`,
    credentials: folder,
    state: folder,
    address: '127.0.0.1',
    'drain-delay': '400',
    'access-log': 'off',
    'accept-proxy-protocol': '192.0.2.0/24',
    'admin-address': '127.0.0.1',
    'admin-port': String(admin),
  }
  const child = spawnCommand(['proxy', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])])
  let stderr = ''
  child.stderr.on('data', (text: string) => (stderr += text))
  onTestFinished(() => void child.kill('SIGKILL'))
  const closed = once(child, 'close')
  const status = async (path: string): Promise<string> => {
    try {
      const answer = await fetch(`http://127.0.0.1:${admin}${path}`)
      return `${answer.status} ${await answer.text()}`
    } catch {
      return 'nobody'
    }
  }
  const until = async (path: string, wanted: string): Promise<void> => {
    let last = ''
    const asking = setInterval(() => void status(path).then((text) => (last = text)), 20)
    try {
      await eventually(() => last.includes(wanted), `${path} to say ${wanted}`, 10_000)
    } finally {
      clearInterval(asking)
    }
  }
  return { child, status, until, closed, log: () => stderr }
}

async function get(port: number, init: RequestInit = {}): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, init)
  return `${answer.status} ${await answer.text()}`
}

describe('a proxy in a pod', () => {
  it('is ready when it serves, serves on without a controller and after a restart, and drains when it is asked to end', async () => {
    const [port, backend, folder] = [await freePort(), await startBackend('web'), podFolder()]
    onTestFinished(() => backend.stop())
    const listener = httpListener(port)
    const web = pool('web', backend.port)
    const config = gatewayConfig({ listeners: [listener], routes: [routeTo(web, [listener])], pools: [web] })
    const { server, publish, close, port: controllerPort } = await controller()
    const first = await startProxy(folder, controllerPort)
    await first.until('/readyz', '503 no configuration has come yet')
    publish('v1', config)
    await first.until('/readyz', '200')
    expect(await get(port)).toBe('200 web')
    expect(server.proxiesOf(gatewayName)).toMatchObject([{ pod: 'pod-1', version: 'v1', result: { ports: [{ port }], failedPorts: [] } }])
    expect(await first.status('/config')).toContain('"version": "v1"')
    await close()
    expect(await get(port)).toBe('200 web')

    backend.hold()
    const slow = get(port)
    await backend.seen(3)
    first.child.kill('SIGTERM')
    await first.until('/readyz', '503 draining')
    backend.release()
    expect(await slow).toBe('200 web')
    expect(await first.closed).toEqual([0, null])

    const second = await startProxy(folder, controllerPort)
    await second.until('/readyz', '200')
    expect(await get(port)).toBe('200 web')
    const back = await controller(controllerPort)
    back.publish('v2', gatewayConfig({ listeners: [listener] }))
    await eventually(() => back.server.proxiesOf(gatewayName)[0]?.version === 'v2', 'the next version', 12_000)
    expect(await get(port)).toContain('404')
  })

  it('says what it lacks in one line', async () => {
    const common = ['proxy', '--gateway', 'a/b', '--controller']
    const noFolder = await runCommand([...common, '127.0.0.1:1', '--credentials', '/nowhere'])
    expect(noFolder).toMatchObject({ code: 2, stdout: '' })
    expect(noFolder.stderr).toMatch(/^gatewright: Cannot connect to a controller: --credentials must hold tls\.crt, got: ENOENT[^\n]+\n$/)
    const noPort = await runCommand([...common, 'somewhere', '--credentials', podFolder()])
    expect(noPort.stderr).toBe('gatewright: Cannot connect: --controller must be HOST:PORT, got somewhere\n')
  })
})
