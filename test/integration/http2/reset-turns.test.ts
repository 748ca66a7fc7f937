/**
 * node:http2 (20.20) never returns from destroying a stream while its session tells of the reset of another one, so the gateway
 * breaks answers off in a turn of their own. The data plane runs in a process of its own here: one that hangs fails the
 * test and stops nothing else. There whoever is told of the end of a request, the access log, lets the clock go on at that
 * very moment, which makes the answer to another request of the same client break off.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { builtCommand } from '../../harness/command-build.ts'
import { gatewayConfig, httpListener, pool, routeTo } from '../../harness/data-plane.ts'
import { pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { answerOf, Http2Client } from '../../harness/http2-client.ts'
import { response } from '../../harness/scripted-backend.ts'

const h = harness()

const script = `
const { DataPlane } = await import(process.argv[1])
const nothing = () => {}
const plane = new DataPlane({
  logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  bounds: { upstreamIdleBodyTime: 100 },
  accessLog: ({ target }) => {
    if (target !== '/reset') return
    // The first one after a while only tells how late it is.
    plane.runtime.sweep.advance()
    plane.runtime.sweep.advance()
  },
})
const report = await plane.apply([JSON.parse(process.argv[2])], new Map(), () => ({ address: '127.0.0.1', port: 0 }))
plane.runtime.sweep.stop()
process.send([...report.values()][0].ports[0].listenPort)
`

/** A data plane whose clock stands still but for the end of requests for /reset; where it listens. */
async function otherProcess(backend: number): Promise<number> {
  const listeners = [httpListener(80)]
  const web = pool('web', backend)
  const config = gatewayConfig({ listeners, pools: [web], routes: [routeTo(web, listeners)] })
  const dataPlane = new URL('../proxy/data-plane.js', `file://${builtCommand()}`).href
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '--eval', script, '--', dataPlane, JSON.stringify(config)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const [port] = (await once(child, 'message')) as [number]
  return port
}

describe('an answer that breaks off while its session tells of the reset of another stream', () => {
  it('[wire:h2-broken-answer] is reset, and the gateway serves on', async () => {
    const web = await h.backend((request, connection) => {
      const isWhole = request.line.startsWith('GET / ')
      connection.write(isWhole ? response('ok') : 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
    })
    const client = await Http2Client.connect(await otherProcess(web.port))
    onTestFinished(() => client.close())
    const breaks = client.open({ target: '/breaks' }, true)
    const broken = answerOf(breaks)
    const reset = client.open({ target: '/reset' }, true)
    reset.resume()
    await Promise.all([once(breaks, 'data'), once(reset, 'data')])
    await pause(300)
    reset.close(8)
    expect(await broken).toMatchObject({ status: 200, body: 'half', resetCode: 2 })
    expect(await client.request()).toMatchObject({ status: 200, body: 'ok' })
  })
})
