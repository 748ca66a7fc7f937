/** Streams of which nobody reads the rest: node:http2 keeps one that is closed until its last byte was read. */
import { describe, expect, it } from 'vitest'
import { pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { answerOf } from '../../harness/http2-client.ts'
import { response } from '../../harness/scripted-backend.ts'

const h = harness()

describe('a stream that ends while it is not read', () => {
  it('[wire:h2-cancel] is not left behind in the connection to its backend when its client gives up', async () => {
    const web = await h.http2Backend(({ stream }) => {
      stream.respond({ ':status': 200 })
      stream.end(Buffer.alloc(120_000))
    })
    const gate = await h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] })
    const client = await h.http2(gate, { settings: { initialWindowSize: 1_000 } })
    const stream = client.open({}, true)
    stream.pause()
    await expect.poll(() => web.streams[0]?.stream.closed).toBe(true)
    await pause(50)
    stream.close(8)
    expect((await gate.record()).flag).toBe('client-gone')
    web.sessions[0]?.close()
    const [endpoint] = gate.runtime.pools.get('web')?.endpoints ?? []
    await expect.poll(() => endpoint?.connections).toBe(0)
  })

  it('[wire:exchange-early-answer] is not left behind in the connection of its client', async () => {
    const web = await h.backend(undefined, ({ bytes, socket }) => {
      // Takes nothing of the body for a while, so that the client is paused.
      socket.pause()
      if (bytes.includes('POST')) setTimeout(() => socket.write(response('no', '413 Too Large')), 200)
    })
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] })
    const client = await h.http2(gate, { maxSessionMemory: 100 })
    const stream = client.open({ method: 'POST' }, false)
    stream.write(Buffer.alloc(20_000_000))
    expect(await answerOf(stream)).toMatchObject({ status: 413, body: 'no' })
    await expect.poll(() => [...gate.connections].map(({ phase }) => phase)).toEqual(['idle'])
  })
})
