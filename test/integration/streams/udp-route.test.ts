/** UDPRoutes: sessions of datagrams. */
import { networkInterfaces } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Bounds } from '../../../src/config/bounds.ts'
import type { PoolConfig } from '../../../src/config/pool.ts'
import type { AccessRecord } from '../../../src/telemetry/access-record.ts'
import { freePort, gatewayConfig, type TestDataPlane } from '../../harness/data-plane.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { DatagramPeer, startPlane, streamBackend, StreamClient, streamListener, streamPool, streamRoute } from '../../harness/streams.ts'

const listener = streamListener('UDP', 53)

async function serve(
  plane: TestDataPlane,
  pools: readonly (readonly [PoolConfig, number])[],
  placement?: Parameters<TestDataPlane['serve']>[2],
  name = 'dns',
): Promise<void> {
  const config = gatewayConfig({
    listeners: [listener],
    pools: pools.map(([pool]) => pool),
    streams: pools.length === 0 ? [] : [streamRoute('udp', name, [listener], pools)],
  })
  expect((await plane.serve(config, undefined, placement)).failedPorts).toEqual([])
}

async function scene(backends: readonly DatagramPeer[], bounds: Partial<Bounds> = {}): Promise<TestDataPlane> {
  const plane = startPlane({ bounds })
  await serve(plane, [
    [
      streamPool(
        'dns',
        backends.map(({ port }) => port),
        { udp: true },
      ),
      1,
    ],
  ])
  return plane
}

function portOf(plane: TestDataPlane) {
  const [port] = plane.dataPlane.datagramPorts
  if (port === undefined) throw new Error('no port')
  return port
}

describe('[feature:UDPRoute] a UDPRoute', () => {
  it('[wire:datagram-session] gives a client its backend and brings the answers back from where it asked', async () => {
    const backend = await DatagramPeer.open((text) => `re: ${text}`)
    const plane = await scene([backend])
    const [one, two] = [await DatagramPeer.open(), await DatagramPeer.open()]
    one.send('a', plane.port(53))
    two.send('b', plane.port(53))
    one.send('c', plane.port(53))
    expect(await one.hears(2)).toEqual(['re: a', 're: c'])
    expect(await two.hears(1)).toEqual(['re: b'])
    expect(new Set([...one.received, ...two.received].map(({ from }) => from))).toEqual(new Set([`127.0.0.1:${plane.port(53)}`]))
    // A session is a source port of its own.
    const sources = new Map(backend.received.map(({ text, from }) => [text, from]))
    expect(sources.get('a')).toBe(sources.get('c'))
    expect(sources.get('a')).not.toBe(sources.get('b'))
    expect(portOf(plane).open).toBe(2)
  })

  it('[wire:datagram-session] keeps what an empty datagram, a large one and many answers are', async () => {
    const backend = await DatagramPeer.open()
    backend.socket.on('message', (datagram, { address, port }) => {
      for (let i = 0; i < 5; i += 1) backend.socket.send(datagram, port, address)
    })
    const plane = await scene([backend])
    const client = await DatagramPeer.open()
    client.send('', plane.port(53))
    const large = 'x'.repeat(8_000)
    client.send(large, plane.port(53))
    const texts = await client.hears(10)
    expect(texts.filter((text) => text === '')).toHaveLength(5)
    expect(texts.filter((text) => text === large)).toHaveLength(5)
  })

  it('[wire:datagram-session] takes answers from the endpoint only', async () => {
    const backend = await DatagramPeer.open((text) => text)
    const plane = await scene([backend])
    const client = await DatagramPeer.open()
    client.send('a', plane.port(53))
    await client.hears(1)
    const stranger = await DatagramPeer.open()
    const [address = '', port = ''] = (backend.received[0]?.from ?? '').split(':')
    stranger.send('forged', Number(port), address)
    await pause(100)
    client.send('b', plane.port(53))
    expect(await client.hears(2)).toEqual(['a', 'b'])
  })

  it('[wire:datagram-from] answers from the address that the client wrote to, also on a port of all addresses', async () => {
    const backend = await DatagramPeer.open((text) => text)
    const plane = startPlane()
    const port = await freePort()
    await serve(plane, [[streamPool('dns', [backend.port], { udp: true }), 1]], () => ({ address: '0.0.0.0', port }))
    const own = Object.values(networkInterfaces()).flatMap((all = []) =>
      all.filter(({ family }) => family === 'IPv4').map(({ address }) => address),
    )
    for (const address of own) {
      const client = await DatagramPeer.open(undefined, address)
      client.send(address, port, address)
      await client.hears(1)
      expect(client.received).toEqual([{ text: address, from: `${address}:${port}` }])
    }
    // One that no interface names, but that is this machine's.
    const client = await DatagramPeer.open()
    client.send('other', port, '127.0.0.9')
    await client.hears(1)
  })

  it('[wire:datagram-port] has a TCP port of the same number beside it, and says when a port is taken', async () => {
    const [backend, stream] = [await DatagramPeer.open((text) => text), await streamBackend()]
    const port = await freePort()
    const plane = startPlane()
    const tcp = streamListener('TCP', 53)
    const pools = [streamPool('dns', [backend.port], { udp: true }), streamPool('dns-tcp', [stream.port])] as const
    const streams = [streamRoute('udp', 'dns', [listener], [pools[0]]), streamRoute('tcp', 'dns', [tcp], [pools[1]])]
    const config = gatewayConfig({ listeners: [listener, tcp], pools, streams })
    const report = await plane.serve(config, undefined, () => ({ address: '127.0.0.1', port }))
    expect(report.ports).toEqual([
      { port: 53, transport: 'UDP', address: '127.0.0.1', listenPort: port },
      { port: 53, transport: 'TCP', address: '127.0.0.1', listenPort: port },
    ])
    const client = await DatagramPeer.open()
    client.send('datagram', port)
    expect(await client.hears(1)).toEqual(['datagram'])
    const connection = await StreamClient.plain(port)
    connection.socket.write('stream')
    await connection.hears('stream')
    for (const address of ['127.0.0.1', '0.0.0.0']) {
      const failed = await startPlane().serve(gatewayConfig({ listeners: [listener] }), undefined, () => ({ address, port }))
      expect(failed.failedPorts).toEqual([
        {
          port: 53,
          transport: 'UDP',
          message: `Cannot listen on ${address}:${port}: port ${port} must be free, got one that another process uses`,
        },
      ])
    }
  })

  it('[wire:datagram-idle] ends a session in which nothing is sent either way', async () => {
    const backend = await DatagramPeer.open((text) => text)
    const plane = await scene([backend], { udpIdleTime: 500 })
    const client = await DatagramPeer.open()
    for (let i = 0; i < 5; i += 1) {
      client.send(`${i}`, plane.port(53))
      await delay(200)
    }
    expect(new Set(backend.received.map(({ from }) => from)).size).toBe(1)
    await eventually(() => portOf(plane).open === 0, 'the end of the session')
    client.send('again', plane.port(53))
    await client.hears(6)
    expect(new Set(backend.received.map(({ from }) => from)).size).toBe(2)
  })

  it('[wire:datagram-bound] ends no session for a client whose datagrams have no endpoint to go to', async () => {
    const backend = await DatagramPeer.open()
    const plane = await scene([backend], { udpSessions: 1 })
    const [served, late] = [await DatagramPeer.open(), await DatagramPeer.open()]
    served.send('asks', plane.port(53))
    await backend.hears(1)
    await serve(plane, [[streamPool('dns', [], { udp: true }), 1]])
    late.send('asks', plane.port(53))
    const port = portOf(plane)
    await eventually(() => port.counters.dropped === 1, 'a dropped datagram')
    expect([port.open, port.counters.evicted]).toEqual([1, 0])
    const session = Number(backend.received[0]?.from.split(':')[1])
    backend.send('answer', session)
    expect(await served.hears(1)).toEqual(['answer'])
  })

  it('[wire:datagram-bound] ends the session that was silent longest when there are too many, and counts it', async () => {
    const backend = await DatagramPeer.open((text) => text)
    const plane = await scene([backend], { udpSessions: 3 })
    const clients = await Promise.all([0, 1, 2, 3].map(async () => await DatagramPeer.open()))
    for (const [i, client] of clients.slice(0, 3).entries()) {
      client.send(`${i}`, plane.port(53))
      await client.hears(1)
    }
    const [first, second, , fourth] = clients as [DatagramPeer, DatagramPeer, DatagramPeer, DatagramPeer]
    first.send('kept', plane.port(53))
    await first.hears(2)
    fourth.send('3', plane.port(53))
    await fourth.hears(1)
    expect([portOf(plane).open, portOf(plane).counters.evicted]).toEqual([3, 1])
    first.send('still', plane.port(53))
    second.send('anew', plane.port(53))
    await first.hears(3)
    await second.hears(2)
    const sourceOf = (text: string): string | undefined => backend.received.find((one) => one.text === text)?.from
    expect(sourceOf('still')).toBe(sourceOf('0'))
    expect(sourceOf('anew')).not.toBe(sourceOf('1'))
  })

  it('[wire:datagram-bound] outlives a flood from many source ports, with the sessions that it may have', async () => {
    const backend = await DatagramPeer.open((text) => text)
    const plane = await scene([backend], { udpSessions: 50 })
    const talker = await DatagramPeer.open()
    for (let i = 0; i < 400; i += 1) {
      const one = await DatagramPeer.open()
      one.send(`${i}`, plane.port(53))
      if (i % 10 === 0) talker.send('talk', plane.port(53))
      one.close()
    }
    await talker.hears(40)
    expect(portOf(plane).open).toBeLessThanOrEqual(50)
    expect(new Set(backend.received.filter(({ text }) => text === 'talk').map(({ from }) => from)).size).toBe(1)
    await plane.stop()
    expect(plane.dataPlane.runtime.pools.get('Service/default/dns:80;udp')).toBeUndefined()
  })

  it('[wire:datagram-weights] divides sessions by weight, exactly, and gives a weight of 0 none', async () => {
    const [a, b, c] = [await DatagramPeer.open(() => 'a'), await DatagramPeer.open(() => 'b'), await DatagramPeer.open(() => 'c')]
    const pools = [a, b, c].map(({ port }, i) => [streamPool(`p${i}`, [port], { udp: true }), [9, 1, 0][i] ?? 0] as const)
    const plane = startPlane()
    await serve(plane, pools)
    const counts: Record<string, number> = { a: 0, b: 0, c: 0 }
    for (let i = 0; i < 50; i += 1) {
      const client = await DatagramPeer.open()
      client.send('1', plane.port(53))
      client.send('2', plane.port(53))
      const [name = '', second] = await client.hears(2)
      expect(second).toBe(name)
      counts[name] = (counts[name] ?? 0) + 1
      client.close()
    }
    expect(counts).toEqual({ a: 45, b: 5, c: 0 })
  })

  it('[wire:datagram-gone] begins another session when the endpoint is gone, and drops what nobody takes', async () => {
    const [first, second] = [await DatagramPeer.open(() => 'first'), await DatagramPeer.open(() => 'second')]
    const plane = await scene([first])
    const client = await DatagramPeer.open()
    client.send('x', plane.port(53))
    expect(await client.hears(1)).toEqual(['first'])
    await serve(plane, [[streamPool('dns', [second.port], { udp: true }), 1]])
    client.send('x', plane.port(53))
    expect(await client.hears(2)).toEqual(['first', 'second'])
    // Nobody is there: an error of the socket ends the session, the next datagram tries again.
    second.close()
    client.send('x', plane.port(53))
    await eventually(() => portOf(plane).open === 0, 'the end of the session')
    await serve(plane, [])
    client.send('x', plane.port(53))
    await eventually(() => portOf(plane).counters.dropped === 1, 'a dropped datagram')
    await serve(plane, [[streamPool('dns', [first.port], { udp: true }), 1]])
    client.send('x', plane.port(53))
    expect(await client.hears(3)).toEqual(['first', 'second', 'first'])
  })

  it('[wire:datagram-gone] ends the sessions of a route that is gone, and keeps them when another one changes', async () => {
    const [first, second] = [await DatagramPeer.open(() => 'first'), await DatagramPeer.open(() => 'second')]
    const plane = startPlane()
    const [a, b] = [streamPool('a', [first.port], { udp: true }), streamPool('b', [second.port], { udp: true })]
    await serve(plane, [[a, 1]])
    const client = await DatagramPeer.open()
    client.send('1', plane.port(53))
    await client.hears(1)
    await serve(plane, [
      [a, 0],
      [b, 1],
    ])
    client.send('2', plane.port(53))
    expect(await client.hears(2)).toEqual(['first', 'first'])
    await serve(plane, [[b, 1]], undefined, 'another')
    client.send('3', plane.port(53))
    expect(await client.hears(3)).toEqual(['first', 'first', 'second'])
  })

  it('[wire:datagram-refused] ejects an endpoint that refuses datagrams, and sends its client to another one', async () => {
    const [backend, gone] = [await DatagramPeer.open(() => 'here'), await freePort()]
    const records: AccessRecord[] = []
    const plane = startPlane({ bounds: { ejectTime: 60_000, ejectTimeMost: 60_000 }, accessLog: (record) => records.push(record) })
    const target = streamPool('dns', [gone, backend.port], { udp: true })
    await serve(plane, [[target, 1]])
    const pool = plane.dataPlane.runtime.pools.get(target.key)
    const lost: number[] = []
    for (let i = 0; i < 30; i += 1) {
      const client = await DatagramPeer.open()
      client.send('first', plane.port(53))
      await eventually(() => client.received.length === 1 || records.length > lost.length, 'an answer or a refusal')
      if (client.received.length === 0) {
        lost.push(i)
        client.send('second', plane.port(53))
      }
      expect(await client.hears(1)).toEqual(['here'])
    }
    // Only one can find out, since the first refusal ejects.
    expect(lost.length).toBe(1)
    expect(pool?.counters.ejections).toEqual(new Map([['connect-refused', 1]]))
    expect(pool?.candidates.map(({ name }) => name)).toEqual([`127.0.0.1:${backend.port}`])
    expect(records).toMatchObject([{ flag: 'connect-failed', upstream: `127.0.0.1:${gone}` }])
  })

  it('[wire:datagram-refused] sends a client on to an endpoint that has not refused it, also when most of them do', async () => {
    const backend = await DatagramPeer.open(() => 'here')
    const gone = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()]
    const records: AccessRecord[] = []
    const plane = startPlane({ bounds: { panicPercent: 100 }, accessLog: (record) => records.push(record) })
    await serve(plane, [[streamPool('dns', [...gone, backend.port], { udp: true }), 1]])
    for (let i = 0; i < 10; i += 1) {
      const client = await DatagramPeer.open()
      const before = records.length
      while (client.received.length === 0 && records.length - before <= gone.length) {
        const refused = records.length
        client.send('again', plane.port(53))
        await eventually(() => client.received.length === 1 || records.length > refused, 'an answer or a refusal')
      }
      expect(client.received.length).toBe(1)
      expect(new Set(records.slice(before).map(({ upstream }) => upstream)).size).toBe(records.length - before)
    }
    expect(records.length).toBeGreaterThan(0)
  })

  it.each([true, false])(
    '[wire:datagram-refused] gives an endpoint that was gone one session, and all of its share when it takes that: answers %s',
    async (answers) => {
      const [backend, port] = [await DatagramPeer.open(() => 'here'), await freePort()]
      const plane = startPlane({ bounds: { ejectTime: 100 } })
      const target = streamPool('dns', [port, backend.port], { udp: true })
      await serve(plane, [[target, 1]])
      const pool = plane.dataPlane.runtime.pools.get(target.key)
      const healths = () => [...(pool?.endpoints ?? [])].map(({ health }) => health.kind)
      const ask = async (): Promise<void> => (await DatagramPeer.open()).send('asks', plane.port(53))
      for (let i = 0; i < 100 && !healths().includes('ejected'); i += 1) {
        await ask()
        await pause(10)
      }
      const back = await DatagramPeer.open(answers ? () => 'back' : undefined, '127.0.0.1', port)
      await eventually(() => healths().includes('trial'), 'the end of the ejection')
      expect(back.received).toEqual([])
      await ask()
      await eventually(() => healths().every((health) => health === 'available'), 'an endpoint that is back')
      expect(back.received.map(({ text }) => text)).toEqual(['asks'])
    },
  )

  it('[wire:datagram-refused] notices that a backend dies in the midst of a session', async () => {
    const [first, second] = [await DatagramPeer.open(() => 'first'), await DatagramPeer.open(() => 'second')]
    const records: AccessRecord[] = []
    const plane = startPlane({ accessLog: (record) => records.push(record) })
    await serve(plane, [[streamPool('dns', [first.port, second.port], { udp: true }), 1]])
    const client = await DatagramPeer.open()
    client.send('x', plane.port(53))
    const [serving] = await client.hears(1)
    ;(serving === 'first' ? first : second).close()
    client.send('lost', plane.port(53))
    await eventually(() => records.length === 1, 'the end of the session')
    expect(records[0]).toMatchObject({ flag: 'upstream-closed', responseBytes: serving?.length })
    client.send('x', plane.port(53))
    expect(await client.hears(2)).toEqual([serving, serving === 'first' ? 'second' : 'first'])
  })

  it('[wire:stream-log] has a line in the access log for each session', async () => {
    const backend = await DatagramPeer.open((text) => `${text}${text}`)
    const records: AccessRecord[] = []
    const plane = startPlane({ bounds: { udpIdleTime: 300 }, accessLog: (record) => records.push(record) })
    await serve(plane, [[streamPool('dns', [backend.port], { udp: true }), 1]])
    const client = await DatagramPeer.open()
    client.send('12', plane.port(53))
    await client.hears(1)
    await eventually(() => records.length === 1, 'the record')
    expect(records[0]).toMatchObject({ protocol: 'UDP', client: '127.0.0.1', listener: listener.key, requestBytes: 2, responseBytes: 4 })
  })

  it('[wire:datagram-drain] is at an end when the port comes back: its sockets are taken over, and its sessions go on', async () => {
    const backend = await DatagramPeer.open()
    const port = await freePort()
    const plane = startPlane()
    const place = () => ({ address: '0.0.0.0', port })
    const pools = [[streamPool('dns', [backend.port], { udp: true }), 1]] as const
    await serve(plane, pools, place)
    const client = await DatagramPeer.open()
    client.send('asks', port)
    await backend.hears(1)
    await plane.serve(gatewayConfig({ listeners: [] }), undefined, place)
    await serve(plane, pools, place)
    await delay(1_500)
    backend.send('late', Number(backend.received[0]?.from.split(':')[1]))
    expect(await client.hears(1)).toEqual(['late'])
    const other = await DatagramPeer.open()
    other.send('asks too', port)
    await backend.hears(2)
    expect(portOf(plane).open).toBe(2)
    // And it can go for good.
    await plane.serve(gatewayConfig({ listeners: [] }), undefined, place)
    await eventually(() => plane.dataPlane.datagramPorts.length === 0, 'the end of the drain')
    await serve(plane, pools, place)
    other.send('once more', port)
    await backend.hears(3)
  })

  it('[wire:datagram-drain] is waited for by a port that another address of it is in the way of, and is named as the reason', async () => {
    const backend = await DatagramPeer.open()
    const port = await freePort()
    const reports: unknown[] = []
    const plane = startPlane({ onReport: (report) => reports.push(report.get('default/test')?.failedPorts) })
    await serve(plane, [[streamPool('dns', [backend.port], { udp: true }), 1]], () => ({ address: '127.0.0.1', port }))
    const client = await DatagramPeer.open()
    client.send('asks', port)
    await backend.hears(1)
    const { failedPorts } = await plane.serve(gatewayConfig({ listeners: [listener] }), undefined, () => ({ address: '0.0.0.0', port }))
    expect(failedPorts).toEqual([
      {
        port: 53,
        transport: 'UDP',
        message: `Cannot listen on 0.0.0.0:${port}: port ${port} must be free, got one where clients of a listener that is gone still wait for answers (it opens after them)`,
      },
    ])
    backend.send('late', Number(backend.received[0]?.from.split(':')[1]))
    expect(await client.hears(1)).toEqual(['late'])
    await eventually(() => reports.length > 0, 'the port')
    expect(reports).toEqual([[]])
  })

  it('[wire:datagram-drain] still brings answers that were asked for when the data plane drains', async () => {
    const backend = await DatagramPeer.open()
    const plane = await scene([backend])
    const client = await DatagramPeer.open()
    client.send('slow', plane.port(53))
    await backend.hears(1)
    const drained = plane.dataPlane.drain(2_000)
    await delay(100)
    const [, port = ''] = (backend.received[0]?.from ?? '').split(':')
    backend.send('late', Number(port))
    expect(await client.hears(1)).toEqual(['late'])
    await drained
  })
})
