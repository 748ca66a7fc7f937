/** Configurations from controllers to proxies over real sockets: who gets what, and what happens when one side is not there. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { GatewayConfig } from '../../../src/config/config.ts'
import type { GatewayResult } from '../../../src/delivery/in-process.ts'
import { LastGood } from '../../../src/delivery/last-good.ts'
import { frameOf } from '../../../src/delivery/frames.ts'
import { controllerName, identityOf } from '../../../src/delivery/messages.ts'
import { StreamReceiver } from '../../../src/delivery/stream-receiver.ts'
import { StreamServer } from '../../../src/delivery/stream-server.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { type CertificateAndKey, makeAuthority, makeClientLeaf, makeLeaf } from '../../../src/x509/certificate.ts'
import { createTestAuthority, keysOf } from '../../harness/certificates.ts'
import { gatewayConfig, httpListener, pool } from '../../harness/data-plane.ts'
import { eventually, pause } from '../../harness/eventually.ts'

const gateway = 'default/test'
const uid = 'd8f1-1'
const validity = { from: new Date(Date.now() - 3_600_000), until: new Date(Date.now() + 3_600_000) }
const authority = makeAuthority('stream', validity)
const good: GatewayResult = {
  ports: [{ port: 80, transport: 'TCP' as const, address: '0.0.0.0', listenPort: 80 }],
  failedPorts: [],
  failedListeners: [],
}

const credentialsOf = ({ certificate, key }: CertificateAndKey) => ({ certificate, key: new Secret(key), authority: authority.certificate })

const pemOf = ({ certificate, key }: CertificateAndKey) => ({ cert: certificate, key })

/** A controller's end; `port` to come back where another one was. */
async function controller(port = 0) {
  const server = new StreamServer({
    credentials: credentialsOf(makeLeaf(authority, [controllerName], [], validity)),
    uidOf: () => uid,
    logger: silentLogger,
    onChange: () => {},
  })
  const listens = await server.listen('127.0.0.1', port)
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => (closed ??= server.close())
  onTestFinished(close)
  return {
    server,
    port: listens,
    close,
    publish: (version: string, config: GatewayConfig, keys = new Map<string, Secret>()) =>
      server.publish([config], new Map([[config.gateway, version]]), keys),
    served: () => server.proxiesOf(gateway).map(({ version }) => version),
  }
}

interface ProxyOptions {
  readonly of?: string
  /** The Gateway's uid. */
  readonly as?: string
  readonly pod?: string
  readonly by?: CertificateAndKey
  /** Milliseconds that the data plane takes. */
  readonly takes?: number
  readonly lastGood?: LastGood
}

function proxy(port: number, { of = gateway, as = uid, pod = 'pod-1', by = authority, takes = 0, lastGood }: ProxyOptions = {}) {
  const applied: GatewayConfig[] = []
  const keys: string[][] = []
  const versions: string[] = []
  const receiver = new StreamReceiver({
    gateway: of,
    pod,
    controller: { address: '127.0.0.1', port },
    credentials: () => credentialsOf(makeClientLeaf(by, 'proxy', identityOf({ gateway: of, uid: as }), validity)),
    target: {
      apply: async (configs, material) => {
        await pause(takes)
        applied.push(...configs)
        keys.push([...material].map(([name, key]) => `${name}=${key.reveal()}`))
        return new Map([[of, good]])
      },
    },
    placement: (_, specified) => ({ address: '0.0.0.0', port: specified }),
    logger: silentLogger,
    random: () => 0,
    onServing: (served) => {
      versions.push(served.version)
      lastGood?.keep(served)
    },
  })
  onTestFinished(() => receiver.stop())
  return { receiver, applied, keys, versions }
}

const configOf = (...names: string[]): GatewayConfig =>
  gatewayConfig({ listeners: [httpListener(80)], pools: names.map((name) => poolNamed(name)) })
const known = new Map<string, ReturnType<typeof pool>>()
const poolNamed = (name: string): ReturnType<typeof pool> => {
  const one = known.get(name) ?? pool(name)
  known.set(name, one)
  return one
}

describe('the configuration stream', () => {
  it('brings a configuration, then what changes, and tells the controller what is served', async () => {
    const { publish, port, served, server } = await controller()
    const { receiver, applied, versions } = proxy(port)
    publish('v1', configOf('a', 'b'))
    receiver.start()
    await eventually(() => served()[0] === 'v1', 'the first version')
    publish('v2', configOf('a', 'c'))
    await eventually(() => served()[0] === 'v2', 'the second version')
    expect(versions).toEqual(['v1', 'v2'])
    expect(applied).toEqual([configOf('a', 'b'), configOf('a', 'c')])
    expect(applied[1]?.pools[0]).toBe(applied[0]?.pools[0])
    expect(server.proxiesOf(gateway)).toEqual([{ pod: 'pod-1', version: 'v2', result: good }])
    receiver.reported(new Map([[gateway, { ...good, failedPorts: [{ port: 81, transport: 'TCP' as const, message: 'taken' }] }]]))
    await eventually(() => server.proxiesOf(gateway)[0]?.result?.failedPorts.length === 1, 'the report')
  })

  it('gives a proxy the keys of its own Gateway and no other', async () => {
    const { server, port } = await controller()
    const certificates = [createTestAuthority().issue('mine.example'), createTestAuthority().issue('other.example')] as const
    const mine = proxy(port)
    const other = proxy(port, { of: 'default/other', pod: 'pod-2' })
    const configs = certificates.map(({ config }, i) => ({
      ...gatewayConfig({ listeners: [] }),
      gateway: ['default/test', 'default/other'][i] ?? '',
      certificates: [config],
    }))
    server.publish(configs, new Map(configs.map(({ gateway: name }) => [name, 'v1'])), keysOf(...certificates))
    mine.receiver.start()
    other.receiver.start()
    await eventually(() => mine.keys.length > 0 && other.keys.length > 0, 'both configurations')
    expect([mine.keys, other.keys]).toEqual(certificates.map(({ config, key }) => [[`${config.fingerprint}=${key.reveal()}`]]))
    expect([...mine.applied, ...other.applied]).toEqual(configs)
  })

  it('lets nobody in without a certificate of its authority', async () => {
    const { publish, port, served, server } = await controller()
    publish('v1', configOf('a'))
    const stranger = proxy(port, { by: makeAuthority('stream', validity) })
    stranger.receiver.start()
    let received = 0
    const closed = [
      {},
      ...['gatewright://else/default/test/uid', 'gatewright://gateway/default/test'].map((uri) =>
        pemOf(makeClientLeaf(authority, 'x', uri, validity)),
      ),
    ].map((shown) => {
      const socket = connect({ host: '127.0.0.1', port, servername: controllerName, ca: authority.certificate, ...shown })
      socket.on('data', () => (received += 1))
      socket.on('error', () => {})
      return new Promise((resolve) => socket.once('close', resolve))
    })
    await Promise.all([...closed, pause(300)])
    expect({ received, applied: stranger.applied, served: served(), proxies: server.proxiesOf(gateway) }).toEqual({
      received: 0,
      applied: [],
      served: [],
      proxies: [],
    })
  })

  it('gives nothing to a proxy of a Gateway that was deleted, when another one has its name', async () => {
    const { publish, port, server } = await controller()
    const before = proxy(port, { as: 'd8f1-0', pod: 'before' })
    before.receiver.start()
    publish('v1', configOf('a'))
    const mine = proxy(port)
    mine.receiver.start()
    await eventually(() => server.proxiesOf(gateway).some(({ version }) => version === 'v1'), 'the proxy of the Gateway')
    expect(before.applied).toEqual([])
    expect(server.proxiesOf(gateway).map(({ pod }) => pod)).toEqual(['pod-1'])
  })

  it('listens to no proxy that says what it must not: not its words, and not more of them than fit', async () => {
    const { publish, port, server } = await controller()
    publish('v1', configOf('a'))
    const shown = pemOf(makeClientLeaf(authority, 'proxy', identityOf({ gateway, uid }), validity))
    const said = (...frames: readonly Buffer[]): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect({ host: '127.0.0.1', port, servername: controllerName, ca: authority.certificate, ...shown })
        socket.on('secureConnect', () => socket.write(Buffer.concat(frames)))
        socket.on('data', () => {})
        socket.on('error', () => {})
        socket.once('close', () => resolve())
      })
    const hello = frameOf({ kind: 'hello', protocol: 1, pod: 'evil' })
    const serving = (result: unknown): Buffer => frameOf({ kind: 'serves', version: 'x', result })
    const longer = Buffer.alloc(4)
    longer.writeUInt32BE(2 * 1024 * 1024)
    await Promise.all([
      said(hello, serving({ failedPorts: 5 })),
      said(hello, serving({ ...good, failedPorts: [null] })),
      said(hello, serving({ ...good, ports: [{ ...good.ports[0], port: '80' }] })),
      said(hello, serving('x')),
      said(frameOf({ kind: 'hello', protocol: 1, pod: 'x'.repeat(5_000) })),
      said(frameOf([])),
      said(longer),
    ])
    expect(server.proxiesOf(gateway)).toEqual([])
  })

  it('does not speak to a controller whose certificate another authority signed', async () => {
    const impostor = makeAuthority('stream', validity)
    const server = new StreamServer({
      credentials: { ...credentialsOf(makeLeaf(impostor, [controllerName], [], validity)) },
      uidOf: () => undefined,
      logger: silentLogger,
      onChange: () => {},
    })
    onTestFinished(() => server.close())
    server.publish([configOf('a')], new Map([[gateway, 'v1']]), new Map())
    const { receiver, applied } = proxy(await server.listen('127.0.0.1', 0))
    receiver.start()
    await pause(300)
    expect({ applied, proxies: server.proxiesOf(gateway) }).toEqual({ applied: [], proxies: [] })
  })

  it('takes changes together while a proxy is busy', async () => {
    const { publish, port, served } = await controller()
    const { receiver, versions } = proxy(port, { takes: 40 })
    publish('v0', configOf('a'))
    receiver.start()
    await eventually(() => served()[0] === 'v0', 'the first version')
    for (let i = 1; i <= 100; i += 1) {
      publish(`v${i}`, configOf('a', `p${i}`))
      await pause(1)
    }
    await eventually(() => served()[0] === 'v100', 'the last version')
    expect(versions.length).toBeLessThan(20)
  })

  it('serves on while no controller is there, and a new one that knows less takes nothing away', async () => {
    const first = await controller()
    const { receiver, versions } = proxy(first.port)
    first.publish('v1', configOf('a'))
    receiver.start()
    await eventually(() => first.served()[0] === 'v1', 'the first version')
    await first.close()
    const second = await controller(first.port)
    await eventually(() => second.served()[0] === 'v1', 'the proxy at the new controller')
    await pause(100)
    second.publish('v1', configOf('a'))
    second.publish('v2', configOf('b'))
    await eventually(() => second.served()[0] === 'v2', 'what the new controller has')
    expect(versions).toEqual(['v1', 'v2'])
  })

  it('follows the controller with the greatest epoch, tells all, and changes over when it goes', async () => {
    const [leader, follower] = [await controller(), await controller()]
    leader.server.epoch = 7
    const peers = [leader, follower].map(({ port }) => `127.0.0.1:${port}`)
    leader.server.peers = peers
    follower.server.peers = peers
    leader.publish('v2', configOf('a', 'b'))
    follower.publish('v1', configOf('a'))
    // The entrance leads to whichever.
    const { receiver, applied, versions } = proxy(follower.port)
    receiver.start()
    await eventually(() => leader.served()[0] === 'v2' && follower.served()[0] === 'v2', 'the leader to be followed')
    follower.publish('v3', configOf('c'))
    await pause(100)
    expect(versions.at(-1)).toBe('v2')
    follower.server.epoch = 8
    await eventually(() => leader.served()[0] === 'v3', 'the new leader to be followed')
    expect(applied.at(-1)).toEqual(configOf('c'))
    await follower.close()
    await eventually(() => versions.at(-1) === 'v2', 'the one that is left to be followed')
    leader.publish('v4', configOf('d'))
    await eventually(() => leader.served()[0] === 'v4', 'what the one that is left has')
    expect(leader.server.proxiesOf(gateway)).toHaveLength(1)
  })

  it('serves after a restart what was served last, before any controller answers', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatewright-last-good-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'config.json')
    const certificate = createTestAuthority().issue('a.example')
    const config = { ...configOf('a'), certificates: [certificate.config] }
    const { publish, port, served, server } = await controller()
    const lastGood = new LastGood(path, silentLogger)
    const before = proxy(port, { lastGood })
    publish('v1', config, new Map(keysOf(certificate)))
    before.receiver.start()
    await eventually(() => served()[0] === 'v1', 'the first version')
    await lastGood.flush()
    await before.receiver.stop()
    expect(statSync(path).mode & 0o777).toBe(0o600)

    const stored = new LastGood(path, silentLogger).read(gateway)
    if (stored === undefined) throw new Error('nothing was kept')
    const after = proxy(port, { pod: 'pod-2' })
    await after.receiver.restore(stored)
    expect(after.applied).toEqual([config])
    expect(after.keys).toEqual([[`${certificate.config.fingerprint}=${certificate.key.reveal()}`]])
    after.receiver.start()
    await eventually(() => server.proxiesOf(gateway).some(({ pod, version }) => pod === 'pod-2' && version === 'v1'), 'the restarted proxy')
    publish('v2', configOf('b'))
    await eventually(() => after.versions.at(-1) === 'v2', 'what came after')
    expect(after.versions).toEqual(['v1', 'v2'])
  })

  it('keeps nothing of what another Gateway or a broken file holds', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatewright-last-good-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'config.json')
    const lastGood = new LastGood(path, silentLogger)
    expect(lastGood.read(gateway)).toBeUndefined()
    writeFileSync(path, '{"format":2')
    expect(lastGood.read(gateway)).toBeUndefined()
    writeFileSync(path, JSON.stringify({ format: 2, version: 'v', config: configOf(), keys: {} }))
    expect([lastGood.read('default/other'), lastGood.read(gateway)?.version]).toEqual([undefined, 'v'])
    expect(readFileSync(path, 'utf8')).toContain('"v"')
  })
})
