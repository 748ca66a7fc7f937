import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { gatewayConfig, httpListener, pool, routeTo, startDataPlane } from '../../harness/data-plane.ts'
import { startBackend } from '../../harness/backend.ts'
import { RawClient } from '../../harness/raw-client.ts'

/** Clients in a process of their own: opens as many connections as it is told and says after a while how many were closed. */
const clients = `
  const { connect } = require('node:net')
  let closed = 0
  process.on('message', ({ port, count }) => {
    for (let i = 0; i < count; i++) connect(port, '127.0.0.1').on('error', () => {}).on('close', () => closed++).resume()
    setTimeout(() => process.send(closed), 300)
  })`

const canLimit = spawnSync('prlimit', ['--version']).status === 0

function limitDescriptors(limit: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${limit}`])
}

/** Takes every descriptor but a few. */
function exhaustDescriptors(left: number): number[] {
  const held: number[] = []
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {
    for (const descriptor of held.splice(-left)) closeSync(descriptor)
  }
  return held
}

describe('a process without free file descriptors', () => {
  it.skipIf(!canLimit)(
    '[wire:accept-no-descriptors] sheds connections without spinning, and serves again when descriptors are free',
    async () => {
      const backend = await startBackend('one')
      const plane = startDataPlane()
      const listeners = [httpListener(80)]
      const one = pool('one', backend.port)
      await plane.serve(gatewayConfig({ listeners, pools: [one], routes: [routeTo(one, listeners)] }))
      const port = plane.port(80)
      const child = spawn(process.execPath, ['-e', clients], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
      await once(child, 'spawn')
      const limit = execFileSync('prlimit', ['--pid', String(process.pid), '--nofile', '--noheadings', '--output=SOFT,HARD'], {
        encoding: 'utf8',
      }).trim()
      const highest = Math.max(...readdirSync('/proc/self/fd').map(Number))
      limitDescriptors(`${highest + 4}:`)
      const held = exhaustDescriptors(2)
      try {
        const before = process.cpuUsage()
        child.send({ port, count: 12 })
        const [closed] = await once(child, 'message')
        const used = process.cpuUsage(before)
        expect(closed).toBe(10)
        expect(plane.dataPlane.ports[0]?.open).toBe(2)
        // Of some 300 ms; a loop around accept(2) would take them all.
        expect(used.user + used.system).toBeLessThan(150_000)
      } finally {
        for (const descriptor of held) closeSync(descriptor)
        limitDescriptors(limit.replace(/\s+/, ':'))
      }
      const client = await RawClient.plain(port)
      expect(await client.get('a.example')).toMatchObject({ status: 200, body: 'one' })
      await client.close()
      child.kill()
      await once(child, 'exit')
      await plane.stop()
      await backend.stop()
    },
  )
})
