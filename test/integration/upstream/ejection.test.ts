import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../harness/eventually.ts'
import type { Gateway } from '../../harness/gateway.ts'
import { harness } from '../../harness/harness.ts'
import { response } from '../../harness/scripted-backend.ts'
import { closedPort, Endpoint } from './endpoints.ts'

const h = harness()
const never = { codes: [], attempts: 0 }

function healthOf(gate: Gateway, port: number): string | undefined {
  const pool = gate.runtime.pools.get('web')
  return [...(pool?.endpoints ?? [])].find(({ config }) => config.port === port)?.health.kind
}

/** Statuses of requests, one after the other. */
async function statuses(gate: Gateway, count: number): Promise<number[]> {
  const client = await h.client(gate)
  const all: number[] = []
  for (let i = 0; i < count; i++) all.push((await client.request()).status)
  return all
}

describe('an endpoint', () => {
  it('[wire:upstream-eject] that refuses a connection gets no more requests', async () => {
    const web = await h.backend()
    const gone = await closedPort()
    const gate = await h.gateway({ pools: { web: [web.port, gone] }, rules: [{ backends: ['web'], retry: never }] })
    const all = await statuses(gate, 60)
    expect(all.filter((status) => status === 502)).toHaveLength(1)
    expect(all.filter((status) => status === 200)).toHaveLength(59)
    expect(healthOf(gate, gone)).toBe('ejected')
    expect(gate.runtime.pools.get('web')?.counters.ejections).toEqual(new Map([['connect-refused', 1]]))
  })

  it('[wire:upstream-eject] that accepts connections only to reset them is found out after one request', async () => {
    const web = await h.backend()
    const rude = await h.backend()
    const gate = await h.gateway({ pools: { web: [web.port, rude.port] }, rules: [{ backends: ['web'], retry: never }] })
    const client = await h.client(gate)
    const pool = gate.runtime.pools.get('web')
    // Whoever connects is reset, with or without a request.
    const reset = setInterval(() => rude.connections.forEach(({ socket }) => socket.resetAndDestroy()), 1)
    try {
      let failed = 0
      for (let i = 0; i < 200 && healthOf(gate, rude.port) !== 'ejected'; i++) {
        if ((await client.request()).status !== 200) failed += 1
        await pause(1)
      }
      expect(healthOf(gate, rude.port)).toBe('ejected')
      expect(failed).toBeLessThanOrEqual(2)
      expect(pool?.counters.ejections.get('connect-refused')).toBe(1)
    } finally {
      clearInterval(reset)
    }
  })

  it('[wire:upstream-eject] that fails three requests in a row is ejected for the last of them, a single one is forgiven', async () => {
    let sick = 1
    const web = await h.backend((_request, connection) => {
      sick -= 1
      if (sick >= 0) connection.socket.destroy()
      else connection.write(response('ok'))
    })
    const other = await h.backend(() => {})
    const serving = { address: '127.0.0.1', port: other.port, state: 'serving' } as const
    const gate = await h.gateway({ pools: { web: [web.port, serving] }, rules: [{ backends: ['web'], retry: never }] })
    expect(await statuses(gate, 2)).toEqual([502, 200])
    expect(healthOf(gate, web.port)).toBe('available')
    sick = 4
    // The first of the four closes a connection that was used before, which says nothing.
    expect(await statuses(gate, 5)).toEqual([502, 502, 502, 502, 200])
    expect(gate.runtime.pools.get('web')?.counters.ejections).toEqual(new Map([['closed', 1]]))
  })

  it('[wire:upstream-eject] that lets requests wait longer than their route is ejected', async () => {
    const slow = await h.backend(() => {})
    const gate = await h.gateway({ pools: { web: [slow.port] }, rules: [{ backends: ['web'], retry: never, backendRequest: 20 }] })
    expect(await statuses(gate, 3)).toEqual([504, 504, 504])
    expect(gate.runtime.pools.get('web')?.counters.ejections).toEqual(new Map([['timeout', 1]]))
  })

  it('[wire:upstream-probe] is asked by connections of our own, and gets its share again after one answer', async () => {
    const web = await h.backend()
    const port = await closedPort()
    const gate = await h.gateway(
      { pools: { web: [web.port, port] }, rules: [{ backends: ['web'], retry: never }] },
      { bounds: { ejectTime: 50, ejectTimeMost: 50 } },
    )
    await statuses(gate, 20)
    expect(healthOf(gate, port)).toBe('ejected')
    await pause(600)
    // However often it was asked meanwhile, no client heard of it.
    expect((await statuses(gate, 20)).filter((status) => status !== 200)).toEqual([])
    const back = await Endpoint.listen(port)
    try {
      await eventually(() => healthOf(gate, port) === 'trial', 'a connection that stands')
      await statuses(gate, 1)
      expect([back.requests, healthOf(gate, port)]).toEqual([1, 'available'])
      await statuses(gate, 100)
      expect(back.requests).toBeGreaterThan(25)
      expect(back.requests).toBeLessThan(75)
    } finally {
      await back.close()
    }
  })

  it('[wire:upstream-probe] that only takes connections gets one request for each time that it is tried', async () => {
    const web = await h.backend()
    const sick = await h.backend((_request, connection) => connection.socket.destroy())
    const gate = await h.gateway(
      { pools: { web: [web.port, sick.port] }, rules: [{ backends: ['web'], retry: never }] },
      { bounds: { ejectTime: 50, ejectTimeMost: 50, ejectFailures: 1 } },
    )
    for (let i = 0; i < 50 && healthOf(gate, sick.port) === 'available'; i++) await statuses(gate, 1)
    expect(sick.requests).toHaveLength(1)
    await eventually(() => healthOf(gate, sick.port) === 'trial', 'a connection that stands')
    expect((await statuses(gate, 20)).filter((status) => status === 502)).toHaveLength(1)
    expect(sick.requests).toHaveLength(2)
    expect(healthOf(gate, sick.port)).toBe('ejected')
  })

  it('[wire:upstream-keep] keeps its health when the configuration changes, as long as its pool has it', async () => {
    const [web, other] = [await h.backend(), await h.backend()]
    const gone = await closedPort()
    const rules = [{ backends: ['web'], retry: never }]
    const gate = await h.gateway({ pools: { web: [web.port, gone] }, rules })
    await statuses(gate, 20)
    gate.update({
      pools: { web: [other.port, gone, web.port], more: [other.port] },
      rules: [...rules, { path: '/more', backends: ['more'] }],
    })
    expect(healthOf(gate, gone)).toBe('ejected')
    expect((await statuses(gate, 20)).filter((status) => status !== 200)).toEqual([])
    gate.update({ pools: { web: [web.port] }, rules })
    gate.update({ pools: { web: [web.port, gone] }, rules })
    expect(healthOf(gate, gone)).toBe('available')
  })

  it('[wire:upstream-panic] is used although it was ejected when too few others are left', async () => {
    const port = await closedPort()
    const gate = await h.gateway({ pools: { web: [port] }, rules: [{ backends: ['web'], retry: never }] })
    expect(await statuses(gate, 2)).toEqual([502, 502])
    expect([healthOf(gate, port), gate.runtime.pools.get('web')?.panic]).toEqual(['ejected', true])
    const back = await Endpoint.listen(port)
    try {
      expect(await statuses(gate, 2)).toEqual([200, 200])
    } finally {
      await back.close()
    }
  })

  it('[wire:upstream-terminating] that terminates ends what it has, and gets nothing new', async () => {
    const leaves = await h.backend((_request, connection) => setTimeout(() => connection.write(response('old')), 80))
    const stays = await h.backend((_request, connection) => connection.write(response('new')))
    const rules = [{ backends: ['web'] }]
    const gate = await h.gateway({ pools: { web: [leaves.port] }, rules })
    const [one, two] = [await h.client(gate), await h.client(gate)]
    const old = one.request()
    await eventually(() => leaves.requests.length === 1, 'the request')
    gate.update({ pools: { web: [{ address: '127.0.0.1', port: leaves.port, state: 'serving' }, stays.port] }, rules })
    for (let i = 0; i < 5; i++) expect((await two.request()).body).toBe('new')
    expect((await old).body).toBe('old')
    expect((await one.request()).body).toBe('new')
    expect(leaves.requests).toHaveLength(1)
  })
})

describe('connections of an endpoint', () => {
  it('[wire:upstream-shed] are bounded: what is too much gets its answer and is counted, and later requests are served', async () => {
    const waiting: (() => void)[] = []
    const web = await h.backend((_request, connection) => void waiting.push(() => connection.write(response('ok'))))
    const rules = [{ backends: ['web'] }]
    const gate = await h.gateway({ pools: { web: [web.port] }, rules }, { bounds: { connectionsPerEndpoint: 2 } })
    const clients = await Promise.all(Array.from({ length: 5 }, () => h.client(gate)))
    const answers = clients.slice(0, 2).map((client) => client.request())
    await eventually(() => waiting.length === 2, 'two requests')
    for (const client of clients.slice(2)) expect((await client.request()).status).toBe(503)
    expect(gate.runtime.pools.get('web')?.counters.shed).toBe(3)
    expect(gate.runtime.counters.flags.get('overload')).toBe(3)
    expect(healthOf(gate, web.port)).toBe('available')
    for (const answer of waiting.splice(0)) answer()
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200])
    const last = clients[4]?.request()
    await eventually(() => waiting.length === 1, 'the next request')
    waiting[0]?.()
    expect((await last)?.status).toBe(200)
  })
})
