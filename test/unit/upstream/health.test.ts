import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultBounds } from '../../../src/config/bounds.ts'
import type { UpstreamFailure } from '../../../src/proxy/upstream/failure.ts'
import { advance, type Health, type HealthEvent, healthy } from '../../../src/proxy/upstream/health.ts'

const policy = { ...defaultBounds, ejectFailures: 3, ejectPercent: 50, ejectTime: 1_000, ejectTimeMost: 10_000 }
const middle = 0.5

const answered: HealthEvent = { kind: 'answered' }
const stands: HealthEvent = { kind: 'probed', stands: true }
const absent: HealthEvent = { kind: 'probed', stands: false }
const failed = (failure: UpstreamFailure, outcomes = 1): HealthEvent => ({ kind: 'failed', failure, outcomes })

/** The state after events at their times. */
function after(...events: readonly (readonly [number, HealthEvent])[]): Health {
  return events.reduce<Health>((state, [now, event]) => advance(state, event, now, policy, middle), healthy)
}

describe('the health of an endpoint', () => {
  it.each(['connect-refused', 'connect-timeout'] as const)('[wire:upstream-eject] ends with one connection that fails: %s', (failure) => {
    expect(after([0, failed(failure)])).toEqual({ kind: 'ejected', since: 0, until: 1_000, level: 0, reason: failure })
  })

  it.each(['closed', 'protocol', 'timeout'] as const)(
    '[wire:upstream-eject] ends with three requests in a row that fail: %s',
    (failure) => {
      expect(after([0, failed(failure)], [1, failed(failure)]).kind).toBe('available')
      expect(after([0, failed(failure)], [1, failed(failure)], [2, answered], [3, failed(failure)], [4, failed(failure)]).kind).toBe(
        'available',
      )
      expect(after([0, failed(failure)], [1, failed(failure)], [2, failed(failure)])).toMatchObject({ kind: 'ejected', reason: failure })
    },
  )

  it('[wire:upstream-eject] ends when half of at least 20 requests in 10 s fail', () => {
    const run = (count: number, step: number): Health => {
      let state = healthy
      for (let i = 0; i < count; i++) {
        const event = i % 2 === 0 ? failed('closed', i + 1) : answered
        state = advance(state, event, i * step, policy, middle)
      }
      return state
    }
    expect(run(19, 10).kind).toBe('available')
    expect(run(21, 10).kind).toBe('ejected')
    // Ten seconds never hold 20 of them.
    expect(run(200, 600).kind).toBe('available')
  })

  it('[wire:upstream-probe] comes back by a connection that stands, and then by one answer', () => {
    const ejected = after([0, failed('connect-refused')])
    const trial = advance(ejected, stands, 1_000, policy, middle)
    expect(trial.kind).toBe('trial')
    expect(advance(trial, answered, 1_010, policy, middle)).toMatchObject({ kind: 'available', since: 1_010, row: 0 })
    expect(advance(trial, failed('closed'), 1_010, policy, middle)).toMatchObject({ kind: 'ejected', until: 3_010, reason: 'closed' })
  })

  it('[wire:upstream-probe] stays away longer each time that nobody is there, up to a bound', () => {
    let state = after([0, failed('connect-refused')])
    const times: number[] = []
    for (let i = 0; i < 6 && state.kind === 'ejected'; i++) {
      times.push(state.until - state.since)
      state = advance(state, absent, state.until, policy, middle)
    }
    expect(times).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
  })

  it('[wire:upstream-probe] remembers ejections until it has served well for as long as the longest', () => {
    const back = [
      [0, failed('connect-refused')],
      [1_000, stands],
      [1_010, answered],
    ] as const
    expect(after(...back, [5_000, failed('connect-refused')])).toMatchObject({ level: 1, until: 7_000 })
    expect(after(...back, [11_010, failed('connect-refused')])).toMatchObject({ level: 0, until: 12_010 })
  })

  it('is not moved by what was under way when it was ejected', () => {
    const ejected = after([0, failed('connect-refused')])
    expect(advance(ejected, answered, 10, policy, middle)).toBe(ejected)
    expect(advance(ejected, failed('closed'), 10, policy, middle)).toBe(ejected)
  })

  it('is ended by a connection of our own that does not stand, and not touched by one that does', () => {
    expect(after([0, absent])).toMatchObject({ kind: 'ejected', reason: 'connect-refused' })
    expect(after([0, stands])).toBe(healthy)
  })

  it('spreads the ends of ejections by a tenth', () => {
    const untils = [0, 0.5, 0.999].map((chance) => advance(healthy, failed('connect-refused'), 0, policy, chance))
    expect(untils.map((state) => (state.kind === 'ejected' ? Math.round(state.until) : 0))).toEqual([900, 1_000, 1_100])
  })

  it('costs no new state while all goes well', () => {
    expect(advance(healthy, answered, 5, policy, middle)).toBe(healthy)
  })
})

const events = fc.oneof(
  fc.constant(answered),
  fc.constant(stands),
  fc.constant(absent),
  fc
    .constantFrom('connect-refused', 'connect-timeout', 'closed', 'protocol', 'timeout')
    .map((failure) => failed(failure as UpstreamFailure)),
)

describe('whatever happens to an endpoint', () => {
  const histories = fc.array(fc.tuple(fc.nat(20_000), events, fc.double({ min: 0, max: 0.999, noNaN: true })), { maxLength: 60 })

  it('an ejection is never longer than its bound, and never shorter than it was while nobody is there', () => {
    fc.assert(
      fc.property(histories, (steps) => {
        let state = healthy
        let now = 0
        for (const [wait, event, chance] of steps) {
          now += wait
          const before = state
          state = advance(before, event, now, policy, chance)
          if (state.kind !== 'ejected' || state === before) continue
          const time = state.until - state.since
          expect(time).toBeGreaterThanOrEqual(900)
          expect(time).toBeLessThanOrEqual(11_000)
          if (before.kind === 'ejected') expect(state.level).toBe(before.level + 1)
        }
      }),
    )
  })

  it('a connection that stands and an answer bring it back', () => {
    fc.assert(
      fc.property(histories, (steps) => {
        let state = healthy
        let now = 0
        for (const [wait, event, chance] of steps) state = advance(state, event, (now += wait), policy, chance)
        state = advance(state, stands, now + 1, policy, middle)
        state = advance(state, answered, now + 2, policy, middle)
        expect(state).toMatchObject({ kind: 'available', row: 0 })
      }),
    )
  })
})
