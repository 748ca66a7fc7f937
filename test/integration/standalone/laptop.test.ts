import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { placeGateways, tryBind } from '../../../src/standalone/bind-trial.ts'
import type { EchoAnswer } from '../../../src/standalone/echo.ts'
import { Laptop } from '../../../src/standalone/laptop.ts'
import type { LaptopOptions } from '../../../src/standalone/laptop.ts'
import { parseServiceMapping } from '../../../src/standalone/service-mapping.ts'
import { gateway, gatewayClass, listener, nothingSaid, route, service, snapshotOf } from '../../unit/standalone/objects.ts'

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function laptop(options: Partial<LaptopOptions> = {}): Promise<Laptop> {
  const folder = await mkdtemp(join(tmpdir(), 'gatewright-laptop-'))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  const made = new Laptop({
    controllerName: 'gatewright.dev/gateway-controller',
    mappings: [],
    echo: true,
    certificates: true,
    stateFolder: join(folder, 'state'),
    ...options,
  })
  cleanups.push(() => made.close())
  return made
}

const files = [
  gatewayClass('class'),
  gateway('infra/main', listener('https', 443, 'HTTPS')),
  service('app/shop', 80),
  service('app/cart', 80),
]
const shopping = snapshotOf(...files, route('app/r', [{ gateway: 'infra/main' }], ['a.example.com'], ['shop:80', 'cart:80']))

describe('a laptop', () => {
  it('answers for every Service of its own with an echo backend that lives through the passes', async () => {
    const here = await laptop()
    const { snapshot } = await here.overlay(shopping, nothingSaid)
    const portOf = (name: string) => snapshot.bucket('slicesByService', `app/${name}`)[0]?.ports[0]?.port ?? 0
    const answer = (await (await fetch(`http://127.0.0.1:${portOf('shop')}/x`)).json()) as EchoAnswer
    expect(answer).toMatchObject({ service: 'shop', namespace: 'app', path: '/x' })
    expect(portOf('cart')).not.toBe(portOf('shop'))
    const again = await here.overlay(shopping, nothingSaid)
    expect(again.snapshot.bucket('slicesByService', 'app/shop')).toBe(snapshot.bucket('slicesByService', 'app/shop'))
    expect(here.echoRequests).toEqual(
      new Map([
        ['app/shop', 1],
        ['app/cart', 0],
      ]),
    )
  })

  it('has certificates that the file it names verifies, the same from pass to pass', async () => {
    const here = await laptop()
    expect(here.caCertificatePath).toBeUndefined()
    const first = await here.overlay(shopping, nothingSaid)
    const secret = first.snapshot.get('Secret', 'infra', 'gatewright-development.a.example.com')
    expect(secret?.type).toBe('kubernetes.io/tls')
    const second = await here.overlay(shopping, nothingSaid)
    expect(second.snapshot.get('Secret', 'infra', 'gatewright-development.a.example.com')).toBe(secret)
    expect(await readFile(here.caCertificatePath ?? '', 'utf8')).toContain('BEGIN CERTIFICATE')
  })

  it('touches neither sockets nor files for what is switched off', async () => {
    const here = await laptop({ echo: false, certificates: false })
    expect((await here.overlay(shopping, nothingSaid)).kindnesses).toEqual([])
    expect(here.echoRequests.size).toBe(0)
    expect(here.caCertificatePath).toBeUndefined()
  })

  it('resolves the hosts of mappings, and says which one it cannot', async () => {
    const mappings = ['app/shop:80=localhost:3000', 'app/cart:80=nowhere.invalid:3000'].map(parseServiceMapping)
    const here = await laptop({ mappings })
    const { snapshot, findings } = await here.overlay(shopping, nothingSaid)
    const addresses = snapshot
      .bucket('slicesByService', 'app/shop')
      .flatMap(({ endpoints }) => endpoints.flatMap((endpoint) => endpoint.addresses))
    expect(addresses).toContain('127.0.0.1')
    expect(snapshot.bucket('slicesByService', 'app/cart')).toEqual([])
    expect(findings).toMatchObject([{ code: 'service-mapping-unresolved', severity: 'error' }])
    expect((await here.overlay(shopping, nothingSaid)).findings).toEqual(findings)
  })

  it('that cannot keep certificates still serves the rest, and says why', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatewright-laptop-'))
    cleanups.push(() => rm(folder, { recursive: true, force: true }))
    await writeFile(join(folder, 'file'), '')
    const here = await laptop({ stateFolder: join(folder, 'file') })
    const { snapshot, findings } = await here.overlay(shopping, nothingSaid)
    expect(findings).toMatchObject([{ code: 'development-certificate-failed', severity: 'error' }])
    expect(snapshot.bucket('slicesByService', 'app/shop')).toHaveLength(1)
    expect(snapshot.get('Gateway', 'infra', 'main')).toBe(files[1])
  })
})

describe('a bind trial', () => {
  it('tells free from taken from an address of another machine', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    expect(await tryBind({ address: '127.0.0.1', port: port, transports: new Set(['TCP', 'UDP']) })).toBe('taken')
    expect(await tryBind({ address: '192.0.2.1', port: port, transports: new Set(['TCP', 'UDP']) })).toBe('no-address')
    const config = { gateway: 'a/g', listeners: [], routes: [], streams: [], pools: [], certificates: [] }
    const wanted = { key: 'k', name: 'n', port: 80, protocol: 'HTTP' as const, hostname: '' }
    const options = { addresses: ['127.0.0.1'], overrides: new Map() }
    const [place] = (await placeGateways([{ ...config, listeners: [wanted] }], options, new Map())).get('a/g')?.values() ?? []
    expect(await tryBind({ address: '127.0.0.1', port: place?.port ?? 0, transports: new Set(['TCP', 'UDP']) })).toBe('free')
    await new Promise((resolve) => server.close(resolve))
    expect(await tryBind({ address: '127.0.0.1', port: port, transports: new Set(['TCP', 'UDP']) })).toBe('free')
  })
})
