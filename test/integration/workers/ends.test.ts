/** Workers that end, or are stuck: the others go on, and another one takes the place. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { startBackend } from '../../harness/backend.ts'
import { freePort, gatewayConfig, httpListener, pool, routeTo } from '../../harness/data-plane.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { RawClient } from '../../harness/raw-client.ts'
import { DatagramPeer, streamListener, streamPool, streamRoute } from '../../harness/streams.ts'
import { isAlive, startWorkers, type TestWorkers } from '../../harness/workers.ts'

async function web(options: Parameters<typeof startWorkers>[0] = {}) {
  const backend = await startBackend('web')
  onTestFinished(() => backend.stop())
  const listener = httpListener(80)
  const target = pool('web', backend.port)
  const config = gatewayConfig({ listeners: [listener], pools: [target], routes: [routeTo(target, [listener])] })
  const gateway = startWorkers(options)
  await gateway.serve(config)
  return { backend, config, gateway }
}

const requests = 'gatewright_requests_total{gateway="default/test",route="HTTPRoute/default/web",rule="HTTPRoute/default/web/0",code="2xx"}'

function pidOf(gateway: TestWorkers, worker: number): number {
  const pid = gateway.pids().get(worker)
  if (pid === undefined) throw new Error(`worker ${worker} was not started`)
  return pid
}

async function replaced(gateway: TestWorkers, times = 1): Promise<void> {
  await eventually(
    () => gateway.log.filter(({ message }) => message === 'a worker has taken the place of one that ended').length >= times,
    'another worker',
  )
}

/** Asks over one connection for as long as that lives, then over the next one. */
class Visitor {
  answers = 0
  /** Connections that broke with a request under way. */
  broken = 0
  /** Connections that could not be made. */
  refused = 0
  #stopped = false
  readonly done: Promise<void>

  constructor(port: number) {
    this.done = this.#visit(port)
  }

  stop(): Promise<void> {
    this.#stopped = true
    return this.done
  }

  async #visit(port: number): Promise<void> {
    while (!this.#stopped) {
      const client = await RawClient.plain(port).catch(() => undefined)
      if (client === undefined) {
        this.refused += 1
        await pause(5)
        continue
      }
      while (!this.#stopped) {
        const answer = await client.get('a.example').catch(() => undefined)
        if (answer === undefined) {
          this.broken += 1
          break
        }
        expect(answer.body).toBe('web')
        this.answers += 1
      }
      client.socket.destroy()
    }
  }
}

describe('a worker that is killed under load', () => {
  it('[wire:worker-end] takes the requests of its connections along and nothing else, and is replaced', async () => {
    const { gateway } = await web()
    const visitors = Array.from({ length: 10 }, () => new Visitor(gateway.port(80)))
    await eventually(() => visitors.every(({ answers }) => answers > 10), 'some requests')
    expect(await gateway.metric(requests)).toBeGreaterThan(100)
    expect(await gateway.metric('gatewright_worker_connections{worker="1"}')).toBe(5)
    const first = pidOf(gateway, 1)
    process.kill(first, 'SIGKILL')
    await replaced(gateway)
    const answered = visitors.map(({ answers }) => answers)
    await eventually(() => visitors.every(({ answers }, i) => answers > (answered[i] ?? 0) + 10), 'more requests')
    await Promise.all(visitors.map((visitor) => visitor.stop()))

    const sum = (read: (visitor: Visitor) => number): number => visitors.reduce((total, visitor) => total + read(visitor), 0)
    expect(sum(({ broken }) => broken)).toBeGreaterThan(0)
    // Five were its own; one more may have been on the way to it.
    expect(sum(({ broken }) => broken)).toBeLessThanOrEqual(6)
    expect(sum(({ refused }) => refused)).toBe(0)
    expect(visitors.filter(({ broken }) => broken === 0).length).toBeGreaterThanOrEqual(4)
    expect(pidOf(gateway, 1)).not.toBe(first)
    expect(await gateway.metric('gatewright_workers')).toBe(2)
    expect(await gateway.metric('gatewright_worker_ends_total')).toBe(1)
    expect(gateway.log).toContainEqual({
      message: 'a worker has ended; its connections are lost, another one takes its place',
      fields: { worker: 1, pid: first, reason: 'SIGKILL', pause: expect.any(Number) as number },
    })
  })

  it('[wire:worker-end] leaves no client without an end: what was on its way is closed or goes to another worker', async () => {
    const { gateway } = await web()
    const pid = pidOf(gateway, 1)
    process.kill(pid, 'SIGSTOP')
    const clients = await Promise.all(Array.from({ length: 6 }, () => RawClient.plain(gateway.port(80))))
    const outcomes = clients.map((client) =>
      client.get('a.example').then(
        ({ status }) => status,
        () => 'closed',
      ),
    )
    let answered = 0
    for (const outcome of outcomes) void outcome.then(() => (answered += 1))
    await eventually(() => answered === 3, 'what the other one got')
    process.kill(pid, 'SIGKILL')
    const late = pause(5_000).then(() => 'nothing')
    const all = await Promise.all(outcomes.map((outcome) => Promise.race([outcome, late])))
    // The one that was between both processes: nobody knows what the one that ended has read of it.
    expect(all.filter((outcome) => outcome === 200)).toHaveLength(5)
    expect(all.filter((outcome) => outcome === 'closed')).toHaveLength(1)
    for (const client of clients) client.socket.destroy()
  })

  it('leaves what it had counted when it was looked at last: no counter falls', async () => {
    const { gateway } = await web()
    const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.plain(gateway.port(80))))
    for (const client of clients) for (let i = 0; i < 5; i += 1) await client.get('a.example')
    expect(await gateway.metric(requests)).toBe(20)
    process.kill(pidOf(gateway, 2), 'SIGKILL')
    await replaced(gateway)
    expect(await gateway.metric(requests)).toBe(20)
    const after = await RawClient.plain(gateway.port(80))
    await after.get('a.example')
    expect(await gateway.metric(requests)).toBe(21)
    expect(await gateway.metric('gatewright_connections_total')).toBe(5)
    for (const client of [...clients, after]) client.socket.destroy()
  })

  it('[wire:worker-end] is replaced by one that serves what is served now', async () => {
    const { gateway, config } = await web()
    process.kill(pidOf(gateway, 1), 'SIGKILL')
    await eventually(() => gateway.log.some(({ message }) => message.startsWith('a worker has ended')), 'its end')
    // Meanwhile the other one alone is asked.
    const nothing = { ...config, routes: [] }
    await gateway.serve(nothing)
    await replaced(gateway)
    const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.plain(gateway.port(80))))
    for (const client of clients) expect((await client.get('a.example')).status).toBe(404)
    await gateway.serve(config)
    for (const client of clients) expect((await client.get('a.example')).status).toBe(200)
    expect(await gateway.metric('gatewright_worker_connections{worker="1"}')).toBe(2)
    for (const client of clients) client.socket.destroy()
  })

  it('has its UDP ports opened again by the one that follows', async () => {
    const backend = await DatagramPeer.open((text) => `re: ${text}`)
    const listeners = [streamListener('UDP', 52), streamListener('UDP', 53)]
    const target = streamPool('dns', [backend.port], { udp: true })
    const ports = new Map([
      [52, await freePort()],
      [53, await freePort()],
    ])
    const gateway = startWorkers()
    await gateway.serve(
      gatewayConfig({ listeners, pools: [target], streams: [streamRoute('udp', 'dns', listeners, [target])] }),
      undefined,
      (_gateway, port) => ({ address: '127.0.0.1', port: ports.get(port) ?? 0 }),
    )
    process.kill(pidOf(gateway, 1), 'SIGKILL')
    process.kill(pidOf(gateway, 2), 'SIGKILL')
    await replaced(gateway, 2)
    expect(
      gateway.reports
        .at(-1)
        ?.get('default/test')
        ?.ports.map(({ port }) => port),
    ).toEqual([52, 53])
    const client = await DatagramPeer.open()
    for (const port of ports.values()) client.send(`${port}`, port)
    expect([...(await client.hears(2))].sort()).toEqual([...ports.values()].map((port) => `re: ${port}`).sort())
  })

  it('is counted when both are killed; the configuration that comes meanwhile is served by those that follow', async () => {
    const { gateway, config } = await web()
    process.kill(pidOf(gateway, 1), 'SIGKILL')
    process.kill(pidOf(gateway, 2), 'SIGKILL')
    await eventually(() => gateway.workers.serving === 0, 'the end of both')
    const result = await gateway.serve(config)
    expect(gateway.workers.serving).toBeGreaterThan(0)
    const client = await RawClient.plain(result.ports[0]?.listenPort ?? 0)
    expect((await client.get('a.example')).status).toBe(200)
    client.socket.destroy()
    await replaced(gateway, 2)
    expect(await gateway.metric('gatewright_worker_ends_total')).toBe(2)
  })
})

describe('a worker that is stuck', () => {
  it('[wire:worker-stuck] is ended when it does not answer any more, and replaced', async () => {
    const { gateway } = await web({ pingTime: 300 })
    const pid = pidOf(gateway, 2)
    process.kill(pid, 'SIGSTOP')
    await replaced(gateway)
    expect(isAlive(pid)).toBe(false)
    expect(pidOf(gateway, 2)).not.toBe(pid)
    const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.plain(gateway.port(80))))
    for (const client of clients) expect((await client.get('a.example')).status).toBe(200)
    for (const client of clients) client.socket.destroy()
  })
})

describe('a drain of workers', () => {
  it('[wire:worker-drain] lets the requests of all of them end, and leaves no process', async () => {
    const { gateway, backend } = await web({ plane: { bounds: { drainTime: 5_000 } } })
    const port = gateway.port(80)
    const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.plain(port)))
    for (const client of clients) await client.get('a.example')
    const before = backend.requests.length
    backend.hold()
    const answers = clients.map((client) => client.get('a.example'))
    await backend.seen(before + 4)
    const drained = gateway.workers.drain()
    await eventually(() => gateway.workers.serving === 2, 'both')
    await pause(100)
    await expect(RawClient.plain(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    backend.release()
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ status: 200, body: 'web' })
      expect(answer.headers.get('connection')).toBe('close')
    }
    await drained
    expect([...gateway.pids().values()].filter(isAlive)).toEqual([])
    expect(await gateway.metric('gatewright_worker_ends_total')).toBe(0)
  })

  it('ends what does not end by itself after drain-time', async () => {
    const { gateway, backend } = await web({ plane: { bounds: { drainTime: 150 } } })
    const client = await RawClient.plain(gateway.port(80))
    backend.hold()
    const answer = client.get('a.example').catch(() => 'broken')
    await backend.seen(1)
    const began = performance.now()
    await gateway.workers.drain()
    expect(performance.now() - began).toBeLessThan(2_000)
    expect(await answer).toBe('broken')
  })
})
