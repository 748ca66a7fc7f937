import { describe, expect, it } from 'vitest'
import { harness } from '../../harness/harness.ts'
import { response } from '../../harness/scripted-backend.ts'
import type { RetryBudgetConfig } from '../../../src/config/pool.ts'

const h = harness()
const retry = { codes: [500], attempts: 1, backoff: 1 }
const sick = response('sick', '500 Internal Server Error')
const hour = 3_600_000

function budget(percent: number, count: number): RetryBudgetConfig {
  return { percent, interval: hour, minRetries: { count, interval: hour } }
}

describe('the budget that a policy gives the retries of a backend', () => {
  it('[wire:retry-policy] answers 503 in place of the retry that is too much, and counts it', async () => {
    const web = await h.backend((_request, connection) => connection.write(sick))
    const gate = await h.gateway({
      pools: { web: [web.port] },
      retryBudgets: { web: budget(0, 2) },
      rules: [{ backends: ['web'], retry }],
    })
    const client = await h.client(gate)
    for (let i = 0; i < 2; i++) expect(await client.request()).toMatchObject({ status: 500, body: 'sick' })
    expect(web.requests).toHaveLength(4)
    expect(await client.request()).toMatchObject({ status: 503, body: expect.stringContaining('retry-budget') })
    expect(web.requests).toHaveLength(5)
    expect(gate.records.at(-1)).toMatchObject({ status: 503, flag: 'retry-budget', attempts: 1, failed: [expect.stringContaining(' 500')] })
    expect(gate.runtime.pools.get('web')?.counters).toMatchObject({ retries: 2, retriesRefused: 1 })
    expect(gate.runtime.counters.flags.get('retry-budget')).toBe(1)
  })

  it('[wire:retry-policy] has nothing to say where no retry would follow', async () => {
    const web = await h.backend((_request, connection) => connection.write(sick))
    const gate = await h.gateway({
      pools: { web: [web.port] },
      retryBudgets: { web: { percent: 0, interval: hour, minRetries: { count: 1, interval: 1 } } },
      rules: [{ backends: ['web'] }, { path: '/never', backends: ['web'], retry: { ...retry, attempts: 0 } }],
    })
    const client = await h.client(gate)
    expect(await client.request()).toMatchObject({ status: 500, body: 'sick' })
    expect(await client.request({ target: '/never' })).toMatchObject({ status: 500, body: 'sick' })
    expect(gate.runtime.pools.get('web')?.counters).toMatchObject({ retries: 0, retriesRefused: 0 })
  })

  it('[wire:retry-policy] is a share of the requests of the interval', async () => {
    let isSick = false
    const web = await h.backend((_request, connection) => connection.write(isSick ? sick : response('ok')))
    const gate = await h.gateway({
      pools: { web: [web.port] },
      retryBudgets: { web: { percent: 20, interval: hour, minRetries: { count: 1, interval: 1 } } },
      rules: [{ backends: ['web'], retry }],
    })
    const client = await h.client(gate)
    for (let i = 0; i < 40; i++) expect((await client.request()).status).toBe(200)
    isSick = true
    const statuses: number[] = []
    for (let i = 0; i < 30; i++) statuses.push((await client.request()).status)
    const { requests, retries } = gate.runtime.pools.get('web')?.counters ?? { requests: 0, retries: 0 }
    // The one in a millisecond beside it may add some.
    expect(statuses).toContain(500)
    expect(retries).toBeGreaterThanOrEqual(Math.floor(requests * 0.2) - 1)
    expect(statuses.filter((status) => status === 500)).toHaveLength(retries)
  })

  it('[wire:retry-policy] is one for all pools of the backend', async () => {
    const web = await h.backend((_request, connection) => connection.write(sick))
    const gate = await h.gateway({
      pools: { one: [web.port], two: [web.port] },
      retryBudgets: { one: budget(0, 1), two: budget(0, 1) },
      backendOf: { one: 'web', two: 'web' },
      rules: [
        { path: '/one', backends: ['one'], retry },
        { path: '/two', backends: ['two'], retry },
      ],
    })
    const client = await h.client(gate)
    expect((await client.request({ target: '/one' })).status).toBe(500)
    expect((await client.request({ target: '/two' })).status).toBe(503)
  })

  it('[wire:retry-policy] is UNAVAILABLE for a gRPC call', async () => {
    const web = await h.http2Backend(({ stream }) =>
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': 14 }, { endStream: true }),
    )
    const gate = await h.gateway({
      pools: { web: [web.port] },
      h2c: ['web'],
      retryBudgets: { web: { percent: 0, interval: hour, minRetries: { count: 1, interval: hour } } },
      rules: [{ grpc: true, backends: ['web'], retry: { codes: [], attempts: 3, backoff: 1 } }],
    })
    const call = { method: 'POST', body: '\0\0\0\0\0', fields: ['content-type: application/grpc', 'te: trailers'] }
    const answer = await (await h.http2(gate)).request(call)
    expect(answer.header('grpc-status')).toBe('14')
    expect(answer.header('grpc-message')).toContain('retry-budget')
    expect(gate.records.at(-1)).toMatchObject({ flag: 'retry-budget', attempts: 2, grpcStatus: 14 })
  })
})
