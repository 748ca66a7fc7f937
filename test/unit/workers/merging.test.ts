import { describe, expect, it } from 'vitest'
import { defaultBounds } from '../../../src/config/bounds.ts'
import type { GatewayResult } from '../../../src/delivery/in-process.ts'
import type { PoolState } from '../../../src/proxy/upstream/pool-state.ts'
import { dividedBounds } from '../../../src/workers/divided-bounds.ts'
import { mergePools } from '../../../src/workers/merge-pools.ts'
import { mergeResults } from '../../../src/workers/merge-results.ts'

const nothing: GatewayResult = { ports: [], failedPorts: [], failedListeners: [] }

function open(port: number, transport: 'TCP' | 'UDP' = 'TCP') {
  return { port, transport, address: '127.0.0.1', listenPort: port + 8_000 }
}

describe('the results of workers', () => {
  it('are those of one when they agree', () => {
    const result = { ...nothing, ports: [open(80), open(443)] }
    expect(mergeResults([[['a/b', result]], [['a/b', result]]])).toEqual(new Map([['a/b', result]]))
  })

  it('name a port that only one of them serves as failed, with its message once', () => {
    const failed = { port: 80, transport: 'TCP', message: 'in use' } as const
    expect(
      mergeResults([
        [['a/b', { ...nothing, ports: [open(80), open(81)] }]],
        [['a/b', { ...nothing, ports: [open(81)], failedPorts: [failed] }]],
        [['a/b', { ...nothing, ports: [open(81)], failedPorts: [failed] }]],
      ]).get('a/b'),
    ).toEqual({ ...nothing, ports: [open(81)], failedPorts: [failed] })
  })

  it('keep messages that differ', () => {
    const failure = (message: string): GatewayResult => ({ ...nothing, failedPorts: [{ port: 80, transport: 'TCP', message }] })
    const merged = mergeResults([[['a/b', failure('one')]], [['a/b', failure('two')]]])
    expect(merged.get('a/b')?.failedPorts.map(({ message }) => message)).toEqual(['one', 'two'])
  })

  it('have the UDP ports of each, and do not take a TCP port of the same number for one', () => {
    const merged = mergeResults([
      [['a/b', { ...nothing, ports: [open(53), open(54, 'UDP')] }]],
      [['a/b', { ...nothing, ports: [open(53)], failedPorts: [{ port: 53, transport: 'UDP', message: 'in use' }] }]],
    ])
    expect(merged.get('a/b')).toEqual({
      ...nothing,
      ports: [open(53), open(54, 'UDP')],
      failedPorts: [{ port: 53, transport: 'UDP', message: 'in use' }],
    })
  })
})

describe('the pools of workers', () => {
  const endpoint = (connections: number, health: 'available' | 'trial' | 'ejected', takesRequests = true) => ({
    endpoint: '10.0.0.1:80',
    state: 'ready' as const,
    takesRequests,
    health,
    ...(health !== 'available' && { reason: 'connect-refused' as const }),
    activeRequests: 1,
    connections,
  })
  const state = (endpoints: PoolState['endpoints'], panic = false): PoolState => ({ pool: 'web', protocol: 'http', panic, endpoints })

  it('add what they have and show the worst that one of them knows', () => {
    expect(mergePools([[state([endpoint(2, 'available')])], [state([endpoint(3, 'ejected', false)], true)], []])).toEqual([
      state([{ ...endpoint(5, 'ejected'), activeRequests: 2 }], true),
    ])
  })

  it('keep an endpoint that only one of them has', () => {
    const other = { ...endpoint(1, 'available'), endpoint: '10.0.0.2:80' }
    expect(mergePools([[state([endpoint(1, 'available')])], [state([other])]])).toEqual([state([endpoint(1, 'available'), other])])
  })
})

describe('the bounds of a worker', () => {
  it('are its part of what holds for the proxy, rounded up, and whole where they are about one thing', () => {
    const bounds = dividedBounds({ ...defaultBounds, connections: 0, connectionsPerPort: 10, memory: 100, requests: 1 }, 3)
    expect(bounds).toMatchObject({ connections: 0, connectionsPerPort: 4, memory: 34, requests: 1, head: defaultBounds.head })
    expect(bounds.connectionsPerEndpoint).toBe(Math.ceil(defaultBounds.connectionsPerEndpoint / 3))
    expect(bounds.udpSessions).toBe(defaultBounds.udpSessions)
  })
})
