import { describe, expect, it } from 'vitest'
import { harness } from '../../harness/harness.ts'
import { answerOf } from '../../harness/http2-client.ts'
import { listenerKey } from '../../harness/gateway-config.ts'
import { response } from '../../harness/scripted-backend.ts'

const h = harness()

describe('an HTTP/2 connection', () => {
  it('[wire:h2-misdirected] answers 421 to a request for another listener, and serves its own', async () => {
    const web = await h.backend()
    const sketch = { listeners: ['a.example', 'b.example'], pools: { web: [web.port] }, rules: [{ backends: ['web'] }] }
    const gate = await h.gateway(sketch, { scheme: 'https', sniListener: listenerKey(0) })
    const client = await h.http2(gate)
    const hosts = ['a.example', 'b.example', 'c.example', 'a.example']
    const statuses = []
    for (const host of hosts) statuses.push((await client.request({ host })).status)
    expect(statuses).toEqual([200, 421, 404, 200])
  })

  it('[wire:h2-drain] that drains says so, ends its requests, and closes', async () => {
    let finish = (): void => {}
    const { gate } = await h.scene((_request, connection) => {
      finish = () => connection.write(response('ok'))
    })
    const client = await h.http2(gate)
    const answer = client.request()
    await expect.poll(() => gate.runtime.counters.requests).toBe(1)
    for (const connection of gate.connections) connection.drain()
    await expect.poll(() => client.goaways[0]).toEqual({ code: 0, lastStream: 2 ** 31 - 1 })
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    finish()
    expect(await answer).toMatchObject({ status: 200, body: 'ok', resetCode: 0 })
    await expect.poll(() => client.session.destroyed, { timeout: 3_000 }).toBe(true)
  })

  it('[wire:h2-drain] that is idle closes soon', async () => {
    const { gate } = await h.scene()
    const client = await h.http2(gate)
    await client.request()
    for (const connection of gate.connections) connection.drain()
    await expect.poll(() => client.session.destroyed, { timeout: 4_000 }).toBe(true)
  })

  it('[wire:exchange-idle-client] that asks nothing is closed after a while, and not while a request is under way', async () => {
    const { gate } = await h.scene(
      (request, connection) => {
        setTimeout(() => connection.write(response('ok')), request.line.includes('slow') ? 1_200 : 0)
      },
      { bounds: { clientIdleTime: 500, lingerTime: 200 } },
    )
    const client = await h.http2(gate)
    expect((await client.request({ target: '/slow' })).status).toBe(200)
    await expect.poll(() => client.session.destroyed, { timeout: 3_000 }).toBe(true)
    await expect.poll(() => gate.connections.size).toBe(0)
  })

  it('[wire:exchange-slow-body] gives up a body that is silent, on that stream alone', async () => {
    const { web, gate } = await h.scene(undefined, { bounds: { bodyIdleTime: 400 } })
    const client = await h.http2(gate)
    const stream = client.open({ method: 'POST' }, false)
    stream.write('half')
    expect(await answerOf(stream)).toMatchObject({ status: 408 })
    await expect.poll(() => web.connections[0]?.ending).not.toBe('open')
    expect(web.requests).toEqual([])
    expect((await client.request()).status).toBe(200)
  })

  it('[wire:exchange-broken-body] tells the backend of no end of a body that broke off', async () => {
    const { web, gate } = await h.scene()
    const client = await h.http2(gate)
    const stream = client.open({ method: 'POST' }, false)
    stream.write('half')
    await expect.poll(() => web.rest).toContain('half')
    stream.destroy(new Error('broken'))
    await expect.poll(() => web.connections[0]?.ending).not.toBe('open')
    expect(web.requests).toEqual([])
  })

  it('[wire:exchange-expect] relays the 100 of the backend, never one of its own', async () => {
    const { web, gate } = await h.scene(undefined, {}, (connection) => {
      if (connection.rest.endsWith('\r\n\r\n') && connection.rest.includes('100-continue'))
        connection.write('HTTP/1.1 100 Continue\r\n\r\n')
    })
    const client = await h.http2(gate)
    const stream = client.open({ method: 'POST', fields: ['expect: 100-continue'] }, false)
    const answer = answerOf(stream)
    await new Promise((resolve) => stream.once('continue', resolve))
    stream.end('body')
    expect(await answer).toMatchObject({ status: 200 })
    expect(web.request.body).toBe('body')
  })

  it('[wire:exchange-early-answer] relays an answer that comes before the body is complete, and sends no more of it', async () => {
    const { web, gate } = await h.scene(undefined, {}, (connection) => {
      if (connection.bytes.includes('half')) connection.write(response('no', '413 Content Too Large'))
    })
    const stream = (await h.http2(gate)).open({ method: 'POST' }, false)
    stream.write('half')
    expect(await answerOf(stream)).toMatchObject({ status: 413, body: 'no', resetCode: 0 })
    await expect.poll(() => web.connections[0]?.ending).not.toBe('open')
    expect(web.requests).toEqual([])
  })

  it('[wire:exchange-back-pressure] reads a client no faster than its backend, and a backend no faster than its client', async () => {
    const { web, gate } = await h.scene((_request, connection) => {
      connection.write(`HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n`)
      connection.write('x'.repeat(20_000_000))
    })
    const client = await h.http2(gate)
    const down = client.open({}, true)
    down.pause()
    await expect.poll(() => web.connections.length).toBe(1)
    const { socket } = await web.connection(0)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(socket.writableLength).toBeGreaterThan(5_000_000)
    const answer = answerOf(down)
    down.resume()
    expect((await answer).body.length).toBe(20_000_000)

    const slow = await h.scene(
      () => {},
      {},
      (connection) => connection.socket.pause(),
    )
    const up = (await h.http2(slow.gate)).open({ method: 'POST' }, false)
    up.write(Buffer.alloc(20_000_000))
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(up.writableLength).toBe(20_000_000)
    expect(slow.web.connections[0]?.bytes.length).toBeLessThan(1_000_000)
    up.destroy()
  })
})
