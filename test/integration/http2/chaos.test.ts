/** Backends of HTTP/2 that refuse, reset, say goodbye, stop short or answer early, and clients that give up: whatever comes of it, the books balance. */
import type { ServerHttp2Stream } from 'node:http2'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { FilterConfig } from '../../../src/config/filter.ts'
import { pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'

const h = harness()
const thrown: Error[] = []
const note = (error: Error): void => void thrown.push(error)
beforeEach(() => void process.on('uncaughtException', note))
afterEach(() => void process.off('uncaughtException', note))

/** Numbers in [0, 1), always the same ones (mulberry32). */
function chances(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const random = chances(77)
const pick = <T>(ones: readonly T[]): T => ones[Math.floor(random() * ones.length)] as T

function respond(stream: ServerHttp2Stream): void {
  if (stream.destroyed) return
  const fate = random()
  if (fate < 0.08) return stream.close(pick([0, 2, 7, 8, 11]))
  // What it took it ends, what is above it refuses.
  if (fate < 0.11) stream.session?.goaway(0, stream.id ?? 0)
  else if (fate < 0.13) return stream.session?.destroy()
  if (fate < 0.2) stream.additionalHeaders({ ':status': pick([100, 103]) })
  const type = random() < 0.3 ? { 'content-type': 'application/grpc' } : {}
  if (random() < 0.2) return stream.respond({ ':status': pick([200, 503]), ...type }, { endStream: true })
  stream.respond({ ':status': pick([200, 200, 503]), ...type }, { waitForTrailers: true })
  stream.once('wantTrailers', () => stream.sendTrailers(random() < 0.5 ? { 'grpc-status': '0' } : {}))
  if (random() < 0.3) stream.write(Buffer.alloc(120_000))
  if (random() < 0.1) return void setTimeout(() => stream.destroy(new Error('stopped short')), 5)
  stream.end('ok')
}

it('[wire:h2-cancel] [wire:h2-goaway] nothing is thrown, held or counted for what is over', { timeout: 60_000 }, async () => {
  const server = (limit: number) =>
    h.http2Backend(
      ({ stream }) => {
        stream.resume()
        if (random() < 0.3) respond(stream)
        else setTimeout(() => respond(stream), random() * 20)
      },
      { settings: { maxConcurrentStreams: limit } },
    )
  const [narrow, wide, guard, copied] = [await server(2), await server(50), await server(50), await server(50)]
  const auth = {
    kind: 'externalAuth',
    protocol: 'http',
    target: { kind: 'pool', pool: 'guard' },
    pathPrefix: '',
    maxBody: 200_000,
  } as const
  const guarded: FilterConfig[] = [
    { ...auth, requestHeaders: [], responseHeaders: [] },
    { kind: 'mirror', target: { kind: 'pool', pool: 'copied' }, numerator: 1, denominator: 2 },
  ]
  const gate = await h.gateway(
    {
      pools: { web: [narrow.port, wide.port], guard: [guard.port], copied: [copied.port] },
      h2c: ['web', 'guard', 'copied'],
      rules: [
        { path: '/plain', backends: ['web'] },
        { path: '/retried', backends: ['web'], request: 300, backendRequest: 60, retry: { codes: [503], attempts: 2, backoff: 3 } },
        { path: '/guarded', backends: ['web'], request: 500, filters: guarded },
      ],
    },
    { bounds: { writeStuckTime: 500 } },
  )
  const one = async (): Promise<void> => {
    const client = await h.http2(gate, { settings: { initialWindowSize: pick([1_000, 65_535]) } })
    for (let i = 0; i < 30; i++) {
      const hasBody = random() < 0.6
      const fields = random() < 0.3 ? ['content-type: application/grpc', 'te: trailers', 'grpc-timeout: 100m'] : []
      const stream = client.open({ method: hasBody ? 'POST' : 'GET', target: pick(['/plain', '/retried', '/guarded']), fields }, !hasBody)
      if (hasBody) stream.write(Buffer.alloc(pick([10, 1_000, 100_000])))
      if (hasBody) setTimeout(() => stream.end('end'), random() * 10)
      if (random() < 0.2) setTimeout(() => stream.destroy(new Error('given up')), random() * 30)
      // A client of node:http2 that has something to send still may never close a stream that was reset with NO_ERROR.
      const over = new Promise((resolve) => stream.once('end', resolve).once('close', resolve))
      // Reads late, so that its backend is done before it.
      setTimeout(() => stream.resume(), random() < 0.3 ? 40 : 0)
      await Promise.race([over, pause(1_000)])
      stream.destroy()
    }
  }
  await Promise.all(Array.from({ length: 6 }, one))
  expect(thrown).toEqual([])
  await expect
    .poll(() => [...gate.connections].map(({ phase }) => phase), { timeout: 5_000 })
    .toEqual(Array.from({ length: 6 }, () => 'idle'))
  await expect.poll(() => gate.runtime.sideRequests.size).toBe(0)
  await pause(100)
  expect(gate.runtime.mirrors.bytes).toBe(0)
  for (const backend of [narrow, wide, guard, copied]) for (const session of backend.sessions) session.close()
  for (const name of ['web', 'guard', 'copied']) {
    for (const endpoint of gate.runtime.pools.get(name)?.endpoints ?? []) {
      await expect.poll(() => [endpoint.name, endpoint.active, endpoint.connections]).toEqual([endpoint.name, 0, 0])
    }
  }
})
