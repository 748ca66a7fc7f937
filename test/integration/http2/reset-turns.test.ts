/**
 * node:http2 (20.20) never returns from destroying a stream while its session tells of the reset of another one, so the gateway
 * breaks answers off in a turn of their own. The data plane runs in a process of its own here: one that hangs fails the
 * test and stops nothing else. There whoever is told of the end of a request, the access log, lets the clock go on at that
 * very moment, which makes the answer to another request of the same client break off.
 */
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { gatewayConfig, httpListener, pool, routeTo } from '../../harness/data-plane.ts'
import { pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { answerOf, Http2Client } from '../../harness/http2-client.ts'
import { startPlaneProcess } from '../../harness/plane-process.ts'
import { response } from '../../harness/scripted-backend.ts'

const h = harness()

/** The clock stands still but for the end of requests for /reset. */
const script = `
plane = new DataPlane({
  logger,
  bounds: { upstreamIdleBodyTime: 100 },
  accessLog: ({ target }) => {
    if (target !== '/reset') return
    // The first one after a while only tells how late it is.
    plane.runtime.sweep.advance()
    plane.runtime.sweep.advance()
  },
})
const afterwards = () => plane.runtime.sweep.stop()
`

describe('an answer that breaks off while its session tells of the reset of another stream', () => {
  it('[wire:h2-broken-answer] is reset, and the gateway serves on', async () => {
    const web = await h.backend((request, connection) => {
      const isWhole = request.line.startsWith('GET / ')
      connection.write(isWhole ? response('ok') : 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
    })
    const listeners = [httpListener(80)]
    const one = pool('web', web.port)
    const { port } = await startPlaneProcess(gatewayConfig({ listeners, pools: [one], routes: [routeTo(one, listeners)] }), script)
    const client = await Http2Client.connect(port)
    onTestFinished(() => client.close())
    const breaks = client.open({ target: '/breaks' }, true)
    const broken = answerOf(breaks)
    const reset = client.open({ target: '/reset' }, true)
    reset.resume()
    await Promise.all([once(breaks, 'data'), once(reset, 'data')])
    // The bound, and what the clock rounds it up to.
    await pause(600)
    reset.close(8)
    expect(await broken).toMatchObject({ status: 200, body: 'half', resetCode: 2 })
    expect(await client.request()).toMatchObject({ status: 200, body: 'ok' })
  })
})
