import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { mayLeadTo } from '../../../src/proxy/upstream/name-guard.ts'
import { createNameLookup, type NameOutcome } from '../../../src/proxy/upstream/name-lookup.ts'
import { type LookOutcome, Resolution } from '../../../src/proxy/upstream/resolution.ts'

describe('the addresses that a name may lead to', () => {
  it.each(['192.0.2.1', '10.0.0.1', '100.64.0.1', '100.100.100.201', '168.63.129.17', '2001:db8::1', '64:ff9c::1', 'fd00::1'])(
    '%s is one',
    (address) => {
      expect(mayLeadTo(address, false, {})).toBe(true)
    },
  )

  it.each([
    '127.0.0.1',
    '::1',
    '::ffff:127.0.0.1',
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    'fe80::1',
    '0.0.0.0',
    '::',
    '224.0.0.1',
    '255.255.255.255',
    'fd00:ec2::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fd20:ce::254',
    'fd00:c1::a9fe:a9fe',
    'fd00:42::42',
    '2002:7f00:1::',
    '2002:a9fe:a9fe::1',
    '64:ff9b:1::7f00:1',
    '64:ff9b:1:7f00:0:100::',
    '::ffff:0:127.0.0.1',
    '2001:0:7f00:1::',
    'localhost',
  ])('[wire:name-guard] %s is none in a cluster', (address) => {
    expect(mayLeadTo(address, false, {})).toBe(false)
  })

  it('[wire:name-guard] an address of the machine itself is none in a cluster', () => {
    const interfaces = { eth0: [{ address: '10.1.2.3' }, { address: '2001:db8::3' }] }
    expect(mayLeadTo('10.1.2.3', false, interfaces)).toBe(false)
    expect(mayLeadTo('2001:DB8:0::3', false, interfaces)).toBe(false)
    expect(mayLeadTo('10.1.2.4', false, interfaces)).toBe(true)
  })

  it('where the gateway serves who runs it, loopback and its own addresses are, and link-local is not', () => {
    expect(mayLeadTo('127.0.0.1', true, {})).toBe(true)
    expect(mayLeadTo('10.1.2.3', true, { eth0: [{ address: '10.1.2.3' }] })).toBe(true)
    expect(mayLeadTo('169.254.169.254', true, {})).toBe(false)
  })
})

describe('the look for a name', () => {
  const { signal } = new AbortController()
  const folder = mkdtempSync(join(tmpdir(), 'hosts-'))
  const hostsFile = join(folder, 'hosts')
  writeFileSync(
    hostsFile,
    '# a comment\n192.0.2.7 one.example.com ONE\n2001:db8::7\tone.example.com # six\nnot-an-address two.example.com\n',
  )
  // Nobody listens there: what is asked by DNS fails.
  const lookup = createNameLookup({ answerTime: 10, servers: ['127.0.0.1:1'], hostsFile })
  afterEach(() => vi.useRealTimers())

  it('[wire:name-lookup] begins in the hosts file, one family at a time', async () => {
    expect(await lookup('one.example.com', signal)).toEqual({ kind: 'found', addresses: ['192.0.2.7'], ttl: undefined })
    expect(await lookup('one', signal)).toMatchObject({ addresses: ['192.0.2.7'] })
    expect((await lookup('two.example.com', signal)).kind).toBe('failed')
  })

  it('asks nobody for localhost (RFC 6761 section 6.3)', async () => {
    expect(await lookup('localhost', signal)).toMatchObject({ addresses: ['127.0.0.1'] })
    expect(await lookup('api.localhost', signal)).toMatchObject({ addresses: ['127.0.0.1'] })
    rmSync(folder, { recursive: true })
  })
})

describe('a resolution', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  function scene(...outcomes: readonly NameOutcome[]) {
    const told: { outcome: LookOutcome; addresses: readonly string[] | undefined }[] = []
    let looks = 0
    const resolution = new Resolution({
      hostname: 'api.example.com',
      port: 443,
      lookup: () => Promise.resolve(outcomes[Math.min(looks++, outcomes.length - 1)] ?? { kind: 'absent' }),
      policy: { nameTtlLeast: 5_000, nameTtlMost: 300_000, nameAddresses: 2 },
      allowed: (address) => !address.startsWith('127.'),
      looked: (outcome, endpoints) => void told.push({ outcome, addresses: endpoints?.map(({ address }) => address) }),
    })
    return { resolution, told, looks: () => looks }
  }

  it.each([
    ['1 s', 1_000, 5_000],
    ['60 s', 60_000, 60_000],
    ['a day', 86_400_000, 300_000],
    ['no time that anybody says', undefined, 5_000],
  ])('[wire:name-ttl] looks again when addresses of %s have lived their time, within bounds', async (_name, ttl, after) => {
    const { resolution, looks } = scene({ kind: 'found', addresses: ['192.0.2.1'], ttl })
    await resolution.first
    await vi.advanceTimersByTimeAsync(after - 1)
    expect(looks()).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(looks()).toBe(2)
    resolution.stop()
    await vi.advanceTimersByTimeAsync(after * 3)
    expect(looks()).toBe(2)
  })

  it('[wire:name-failed] keeps what it has while nobody can say, asking ever more seldom', async () => {
    const { resolution, told, looks } = scene({ kind: 'found', addresses: ['192.0.2.1'], ttl: 0 }, { kind: 'failed', reason: 'silence' })
    await resolution.first
    await vi.advanceTimersByTimeAsync(5_000 + 1_000 + 2_000)
    expect(looks()).toBe(4)
    expect(told.slice(1)).toEqual(told.slice(1).map(() => ({ outcome: { kind: 'failed', reason: 'silence' }, addresses: undefined })))
    await vi.advanceTimersByTimeAsync(3_999)
    expect(looks()).toBe(4)
    resolution.stop()
  })

  it('[wire:name-failed] has no addresses before somebody could say', async () => {
    const { resolution, told } = scene({ kind: 'failed', reason: 'silence' })
    await resolution.first
    expect(told[0]?.addresses).toEqual([])
    resolution.stop()
  })

  it('[wire:name-lookup] takes so many addresses, in their order, each once, and none that is not allowed', async () => {
    const addresses = ['192.0.2.3', '127.0.0.1', '192.0.2.1', '192.0.2.1', '192.0.2.2']
    const { resolution, told } = scene({ kind: 'found', addresses, ttl: 0 })
    await resolution.first
    expect(told).toEqual([{ outcome: { kind: 'found' }, addresses: ['192.0.2.1', '192.0.2.2'] }])
    resolution.stop()
  })

  it('[wire:name-guard] says so when none is allowed', async () => {
    const { resolution, told } = scene({ kind: 'found', addresses: ['127.0.0.1'], ttl: 0 })
    await resolution.first
    expect(told).toEqual([{ outcome: { kind: 'refused', reason: 'it must not lead to 127.0.0.1' }, addresses: [] }])
    resolution.stop()
  })
})
