import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { gatewayConfig, httpListener, pool, routeTo } from '../../harness/data-plane.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { startPlaneProcess } from '../../harness/plane-process.ts'
import { RawClient } from '../../harness/raw-client.ts'
import { response } from '../../harness/scripted-backend.ts'

const h = harness()

const descriptors = 128
const left = 2

/** Told "take", it takes every descriptor but a few; told "give", it gives them back and says what it spent meanwhile. */
const script = `
const { openSync, closeSync } = await import('node:fs')
const held = []
let before
const take = () => {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {
    for (const descriptor of held.splice(-${left})) closeSync(descriptor)
  }
  before = process.cpuUsage()
}
const give = () => {
  const { user, system } = process.cpuUsage(before)
  for (const descriptor of held.splice(0)) closeSync(descriptor)
  return { open: plane.ports[0].open, used: user + system }
}
const afterwards = () => process.on('message', (message) => process.send((message === 'take' ? take() : give()) ?? {}))
`

const canLimit = spawnSync('prlimit', ['--version']).status === 0

describe('a process without free file descriptors', () => {
  it.skipIf(!canLimit)(
    '[wire:accept-no-descriptors] sheds connections without spinning, and serves again when descriptors are free',
    async () => {
      const web = await h.backend((_request, connection) => connection.write(response('one')))
      const listeners = [httpListener(80)]
      const one = pool('one', web.port)
      const config = gatewayConfig({ listeners, pools: [one], routes: [routeTo(one, listeners)] })
      const { child, port } = await startPlaneProcess(config, script, ['prlimit', `--nofile=${descriptors}`])
      const ask = async (what: 'take' | 'give'): Promise<{ open: number; used: number }> => {
        const answer = once(child, 'message')
        child.send(what)
        return ((await answer) as [{ open: number; used: number }])[0]
      }
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
})
