import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { GatewayConfig } from '../../../src/config/config.ts'
import { gatewayConfig, httpListener, pool, routeTo } from '../../harness/data-plane.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { startPlaneProcess } from '../../harness/plane-process.ts'
import { RawClient } from '../../harness/raw-client.ts'
import { response } from '../../harness/scripted-backend.ts'
import { streamBackend, StreamClient, streamListener, streamPool, streamRoute } from '../../harness/streams.ts'

const h = harness()

const descriptors = 128

/** Told "take", it takes every descriptor but `left`; told "give", it gives them back and says what it spent meanwhile. */
const script = (left: number): string => `
const { openSync, closeSync } = await import('node:fs')
const held = []
let before
const take = () => {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {
    for (const descriptor of held.splice(held.length - ${left})) closeSync(descriptor)
  }
  before = process.cpuUsage()
}
const give = () => {
  const { user, system } = process.cpuUsage(before)
  for (const descriptor of held.splice(0)) closeSync(descriptor)
  return { open: plane.ports[0].open, used: user + system, health: plane.pools[0].endpoints.map(({ health, reason }) => reason ?? health) }
}
const afterwards = () => process.on('message', (message) => process.send((message === 'take' ? take() : give()) ?? {}))
`

const canLimit = spawnSync('prlimit', ['--version']).status === 0

interface Given {
  readonly open: number
  readonly used: number
  readonly health: readonly string[]
}

async function start(config: GatewayConfig, left: number) {
  const { child, port } = await startPlaneProcess(config, script(left), ['prlimit', `--nofile=${descriptors}`])
  const ask = async (what: 'take' | 'give'): Promise<Given> => {
    const answer = once(child, 'message')
    child.send(what)
    return ((await answer) as [Given])[0]
  }
  return { port, ask }
}

describe('a process without free file descriptors', () => {
  it.skipIf(!canLimit)(
    '[wire:accept-no-descriptors] sheds connections without spinning, and serves again when descriptors are free',
    async () => {
      const web = await h.backend((_request, connection) => connection.write(response('one')))
      const listeners = [httpListener(80)]
      const one = pool('one', web.port)
      const config = gatewayConfig({ listeners, pools: [one], routes: [routeTo(one, listeners)] })
      const left = 2
      const { port, ask } = await start(config, left)
      await ask('take')
      let closed = 0
      const sockets = Array.from({ length: 12 }, (): Socket =>
        connect(port, '127.0.0.1')
          .on('error', () => {})
          .on('close', () => (closed += 1))
          .resume(),
      )
      onTestFinished(() => sockets.forEach((socket) => socket.destroy()))
      await eventually(() => closed === sockets.length - left, 'the end of the connections that there is no descriptor for')
      await pause(300)
      const { open, used } = await ask('give')
      expect(closed).toBe(sockets.length - left)
      expect(open).toBe(left)
      // Of some 300 ms; a loop around accept(2) would take them all.
      expect(used).toBeLessThan(150_000)
      const client = await RawClient.plain(port)
      expect(await client.get('a.example')).toMatchObject({ status: 200, body: 'one' })
      await client.close()
    },
  )

  it.skipIf(!canLimit).each([
    ['accept', 0],
    ['connect', 1],
  ] as const)('[wire:accept-no-descriptors] sheds connections that nobody looks into, when there is none to %s', async (_, left) => {
    const backend = await streamBackend()
    const listener = streamListener('TCP', 80)
    const pools = [streamPool('db', [backend.port])]
    const config = gatewayConfig({ listeners: [listener], pools, streams: [streamRoute('tcp', 'db', [listener], pools)] })
    const { port, ask } = await start(config, left)
    await ask('take')
    for (let i = 0; i < 3; i += 1) {
      const shed = StreamClient.dial(port)
      await eventually(() => shed.closed || shed.ended, 'the end of a connection that there is no descriptor for')
      expect(shed.received.length).toBe(0)
    }
    await pause(300)
    const { open, used, health } = await ask('give')
    expect(open).toBe(0)
    expect(used).toBeLessThan(150_000)
    // It is not the endpoint's fault.
    expect(health).toEqual(['available'])
    const client = await StreamClient.plain(port)
    client.socket.write('x')
    await client.hears('x')
    client.socket.end()
    await eventually(() => client.closed, 'the end')
    expect(client.error).toBeUndefined()
  })
})
