/** Many exchanges at once, cut into pieces anywhere and broken off at any byte: nothing mixes, nothing is left. */
import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { type BackendConnection, response } from '../../harness/scripted-backend.ts'
import type { Client } from '../../harness/client.ts'
import type { Gateway } from '../../harness/gateway.ts'

const h = harness()

/** mulberry32: the same numbers in each run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

async function sendInPieces(write: (piece: string) => void, bytes: string, random: () => number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const length = random() < 0.5 ? 1 + Math.floor(random() * 40) : 1 + Math.floor(random() * 20_000)
    write(bytes.slice(at, at + length))
    at += length
    if (random() < 0.7) await pause(0)
  }
}

/** Loads and places in the pool, after everything has ended. */
function loads(gate: Gateway): { active: number; busy: number } {
  const endpoints = [...gate.runtime.pools.all()].flatMap((pool) => [...pool.endpoints])
  return {
    active: endpoints.reduce((sum, { active }) => sum + active, 0),
    busy: endpoints.reduce((sum, { connections, idle }) => sum + connections - idle.length, 0),
  }
}

describe('many exchanges at once', () => {
  it('keep their bodies and their order, however both sides cut their bytes', async () => {
    const random = seeded(7)
    const web = await h.backend((request, connection) => {
      const body = `${request.line} ${request.body.length} ${request.body.slice(0, 9)}`.padEnd(request.body.length % 9_000, '.')
      const bytes =
        request.body.length % 2 === 0
          ? response(body)
          : `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
      void sendInPieces((piece) => connection.write(piece), bytes, random)
    })
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] })
    const run = async (client: Client, name: number): Promise<void> => {
      const requests = Array.from({ length: 12 }, (_, i) => ({
        target: `/${name}/${i}`,
        body: `${name}-${i}-`.repeat(Math.floor(random() ** 3 * 5_000)),
      }))
      const bytes = requests.map(({ target, body }) => {
        if (body.length % 3 === 0 || body === '')
          return `PUT ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`
        return `PUT ${target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
      })
      void sendInPieces((piece) => client.send(piece), bytes.join(''), random)
      for (const { target, body } of requests) {
        const answer = await client.answer()
        expect(answer.status).toBe(200)
        expect(answer.body.startsWith(`PUT ${target} HTTP/1.1 ${body.length} ${body.slice(0, 9)}`)).toBe(true)
      }
    }
    const clients = await Promise.all(Array.from({ length: 12 }, () => h.client(gate)))
    await Promise.all(clients.map(run))
    expect(loads(gate)).toEqual({ active: 0, busy: 0 })
    expect(web.rest).toBe('')
  })

  it('leave nothing behind when clients and backends break off anywhere', async () => {
    const random = seeded(11)
    const flaky = (_request: unknown, connection: BackendConnection): void => {
      const bytes =
        random() < 0.5 ? response('x'.repeat(3_000)) : 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
      const cut = random() < 0.5 ? bytes : bytes.slice(0, Math.floor(random() * bytes.length))
      connection.write(cut)
      const ending = random()
      if (ending < 0.2) connection.socket.destroy()
      else if (ending < 0.4) connection.socket.resetAndDestroy()
      else if (ending < 0.5 || cut !== bytes) connection.socket.end()
    }
    const [one, two] = [await h.backend(flaky), await h.backend(flaky)]
    const gate = await h.gateway({ pools: { web: [one.port, two.port] }, rules: [{ backends: ['web'] }] })
    const run = async (): Promise<void> => {
      const client = await h.client(gate)
      const bytes =
        'GET /a HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'.repeat(4)
      await sendInPieces(
        (piece) => client.socket.writable && client.send(piece),
        bytes.slice(0, Math.floor(random() * bytes.length)),
        random,
      )
      await pause(random() * 20)
      if (random() < 0.5) client.reset()
      else client.end()
    }
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 25 }, run))
    await eventually(() => gate.connections.size === 0, 'the end of all connections', 5_000)
    await eventually(() => loads(gate).active === 0 && loads(gate).busy === 0, 'the end of all upstream work')
    expect(gate.runtime.counters.connections).toBe(0)
    expect(gate.records.length).toBeGreaterThan(250)
  })
})
