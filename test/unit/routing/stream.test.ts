import { describe, expect, it } from 'vitest'
import { streamReport } from '../../../src/cli/explain-stream.ts'
import { styleFor } from '../../../src/cli/style.ts'
import type { ListenerConfig } from '../../../src/config/listener.ts'
import { compile } from '../../../src/routing/compile.ts'
import { explainStream } from '../../../src/routing/explain-stream.ts'
import { gatewayConfig } from '../../harness/data-plane.ts'
import { passthrough, streamListener, streamPool, streamRoute } from '../../harness/streams.ts'

const listener = streamListener('TLS', 443, passthrough)
const pools = [streamPool('a', [1]), streamPool('b', [2])] as const

function compiled(config: ReturnType<typeof gatewayConfig>, previous?: ReturnType<typeof compile>) {
  const router = compile(config, previous)
  const found = router.ports.get(443)?.listeners[0]
  if (found === undefined) throw new Error('no listener')
  return { router, listener: found, nameFor: (name: string) => found.streamFor(name)?.config.key }
}

describe('stream routes, compiled', () => {
  it('are chosen by the most specific hostname, and by their order for the same one', () => {
    const streams = [
      streamRoute('passthrough', 'any-com', [listener], pools, ['*.com', 'x.com']),
      streamRoute('passthrough', 'late', [listener], pools, ['x.com', 'y.com']),
    ]
    const { nameFor } = compiled(gatewayConfig({ listeners: [listener], streams, pools }))
    expect(['x.com', 'y.com', 'z.com', 'a.b.com', 'com', ''].map(nameFor)).toEqual([
      'passthrough/default/any-com',
      'passthrough/default/late',
      'passthrough/default/any-com',
      'passthrough/default/any-com',
      undefined,
      undefined,
    ])
  })

  it('keep what did not change, and the counters and the turn of what did', () => {
    const [kept, edited] = [
      streamRoute('passthrough', 'kept', [listener], pools, ['a']),
      streamRoute('passthrough', 'edited', [listener], pools, ['b']),
    ]
    const base = { listeners: [listener] as readonly ListenerConfig[], pools }
    const before = compiled(gatewayConfig({ ...base, streams: [kept, edited] }))
    const [first, second] = before.router.streams
    if (first === undefined || second === undefined) throw new Error('no streams')
    second.counters.passed = 7
    const turn = [second.chooseBackend(), second.chooseBackend(), second.chooseBackend()].map((one) => one?.kind === 'pool' && one.pool)
    const after = compiled(gatewayConfig({ ...base, streams: [kept, { ...edited, attachments: kept.attachments }] }), before.router)
    expect(after.router.streams[0]).toBe(first)
    expect(after.router.streams[1]).not.toBe(second)
    expect(after.router.streams[1]?.counters.passed).toBe(7)
    const next = after.router.streams[1]?.chooseBackend()
    expect(next?.kind === 'pool' && next.pool).toBe(turn[1])
    // Nothing changed: nothing is made anew.
    const again = compile({ ...after.router.config }, after.router)
    expect(again.ports.get(443)?.listeners[0]).toBe(after.listener)
  })

  it('have no backend when none has a weight', () => {
    const streams = [streamRoute('passthrough', 'r', [listener], [[pools[0], 0]], ['a'])]
    const { listener: found } = compiled(gatewayConfig({ listeners: [listener], streams, pools }))
    expect(found.streamFor('a')?.chooseBackend()).toBeUndefined()
  })
})

describe('a stream, explained', () => {
  it('says once of a route with many hostnames that its listener is out of reach, and of each hostname that it is another', () => {
    const other = streamListener('TLS', 443, { ...passthrough, hostname: 'a' })
    const streams = [
      streamRoute('passthrough', 'two', [listener], pools, ['b', 'c']),
      streamRoute('passthrough', 'near', [other], pools, ['a', '*.a']),
    ]
    const { router } = compiled(gatewayConfig({ listeners: [other, listener], streams, pools }))
    const texts = (name: string) => explainStream(router, 'TCP', 443, name).losers.map(({ route, text }) => `${route} ${text}`)
    expect(texts('a')).toEqual([expect.stringMatching(/^passthrough\/default\/two is out of reach: listener .* is more specific$/)])
    expect(texts('d')).toEqual([
      'passthrough/default/two is for b, not d',
      'passthrough/default/two is for c, not d',
      expect.stringMatching(/^passthrough\/default\/near is out of reach/),
    ])
  })

  it('says which header of the PROXY protocol its backends get', () => {
    const told = { ...streamRoute('passthrough', 'told', [listener], pools, ['a']), proxyProtocol: 'v2' as const }
    const plain = streamRoute('passthrough', 'plain', [listener], pools, ['b'])
    const { router } = compiled(gatewayConfig({ listeners: [listener], streams: [told, plain], pools }))
    const explanation = explainStream(router, 'TCP', 443, 'a')
    expect(explanation.winner).toMatchObject({ route: 'passthrough/default/told', proxyProtocol: 'v2' })
    expect(explainStream(router, 'TCP', 443, 'b').winner).not.toHaveProperty('proxyProtocol')
    const stream = { protocol: 'TLS', serverName: 'a', port: 443 } as const
    const report = { asked: stream, answers: [{ gateway: 'default/test', explanation }], refused: [], notes: [], pools: [] }
    expect(streamReport(report, styleFor(process.stdout, { NO_COLOR: '1' }))).toContain('backends get a header of the PROXY protocol, v2')
  })
})
