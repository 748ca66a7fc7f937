import { describe, expect, it, vi } from 'vitest'
import { ControllerLoops } from '../../../src/cli/controller-loops.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'

/** Writes are under way beside the passes. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

function scene() {
  let time = 0
  const state = { leads: true, passes: 0, writes: 0, passFails: false, writeFails: false }
  const loops = new ControllerLoops({
    pass: async () => {
      time += 250
      if (state.passFails) throw new Error('no pass')
      state.passes += 1
    },
    mayWrite: () => state.leads,
    write: async () => {
      if (state.writeFails) throw new Error('no write')
      state.writes += 1
    },
    logger: silentLogger,
    now: () => time,
  })
  const round = async (changes: Partial<typeof state> = {}): Promise<void> => {
    Object.assign(state, changes)
    loops.lookAgain()
    await loops.settled()
    await turn()
  }
  const counts = (): Record<string, number> => {
    const values = loops
      .metrics()
      .flatMap(({ name, samples }) =>
        [...samples()].map((sample) => [`${name} ${sample.labels['outcome'] ?? ''}`.trim(), 'value' in sample ? sample.value : 0] as const),
      )
    return Object.fromEntries(values)
  }
  return { loops, state, round, counts }
}

describe('the loops of a controller', () => {
  it('write after each pass what it has made', async () => {
    const { state, round, counts } = scene()
    await round()
    await round()
    expect(state).toMatchObject({ passes: 2, writes: 2 })
    expect(counts()).toEqual({
      'gatewright_passes_total done': 2,
      'gatewright_passes_total failed': 0,
      gatewright_pass_seconds_total: 0.5,
      'gatewright_writes_total done': 2,
      'gatewright_writes_total failed': 0,
    })
  })

  it('count a write that fails as such, and not as a pass', async () => {
    const { round, counts } = scene()
    await round({ writeFails: true })
    expect(counts()).toMatchObject({
      'gatewright_passes_total done': 1,
      'gatewright_passes_total failed': 0,
      'gatewright_writes_total done': 0,
      'gatewright_writes_total failed': 1,
    })
    await round({ passFails: true })
    expect(counts()).toMatchObject({ 'gatewright_passes_total failed': 1, 'gatewright_writes_total failed': 1 })
    await round({ passFails: false, writeFails: false })
    expect(counts()).toMatchObject({ 'gatewright_passes_total done': 2, 'gatewright_writes_total done': 1 })
  })

  it('write nothing, and count nothing, where another one leads', async () => {
    const { state, loops, round, counts } = scene()
    await round({ leads: false })
    loops.writeAgain()
    await turn()
    expect([state.passes, state.writes, counts()['gatewright_writes_total done']]).toEqual([1, 0, 0])
    state.leads = true
    loops.writeAgain()
    await turn()
    await loops.stop()
    expect(state.writes).toBe(1)
    await round()
    expect(state.passes).toBe(1)
  })

  it('write at the soonest of the times that were asked for, once', async () => {
    vi.useFakeTimers()
    try {
      const { loops, state } = scene()
      loops.writeLater(30_000)
      loops.writeLater(500)
      loops.writeLater(1_000)
      await vi.advanceTimersByTimeAsync(499)
      expect(state.writes).toBe(0)
      await vi.advanceTimersByTimeAsync(60_000)
      expect(state.writes).toBe(1)
      loops.writeLater(10)
      await loops.stop()
      await vi.advanceTimersByTimeAsync(60_000)
      expect(state.writes).toBe(1)
    } finally {
      vi.useRealTimers()
    }
  })
})
