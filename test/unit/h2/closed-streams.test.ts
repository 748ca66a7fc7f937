import { describe, expect, it } from 'vitest'
import { ClosedStreams } from '../../../src/proxy/h2/closed-streams.ts'

describe('[wire:h2-closed] streams that are closed', () => {
  it('are those of which nothing is known', () => {
    expect(new ClosedStreams().kind(7)).toBe('closed')
  })

  it('were reset by us until the peer has ended them, too', () => {
    const closed = new ClosedStreams()
    closed.reset(7, 100)
    expect([5, 7, 9].map((id) => closed.kind(id))).toEqual(['closed', 'reset', 'closed'])
    closed.end(7)
    expect(closed.kind(7)).toBe('closed')
  })

  it('take what the window of a reset one had left', () => {
    const closed = new ClosedStreams()
    closed.reset(7, 100)
    closed.reset(9, -3)
    expect([closed.spend(7, 60), closed.spend(7, 60), closed.spend(7, 60)]).toEqual([60, 40, 0])
    expect([closed.spend(9, 1), closed.spend(11, 1)]).toEqual([0, 0])
  })

  it('are not judged when more were reset than are remembered', () => {
    const closed = new ClosedStreams()
    for (let i = 0; i < 520; i++) closed.reset(2 * i + 1, 10)
    // 512 are left; what was before the ninth may have been reset.
    expect([1, 15, 17, 1_039].map((id) => closed.kind(id))).toEqual(['unknown', 'unknown', 'reset', 'reset'])
    expect(closed.spend(15, 5)).toBe(0)
    closed.end(17)
    expect([closed.kind(17), closed.kind(1_041)]).toEqual(['closed', 'closed'])
  })

  it('were left out between two that were used; the last sixteen times of it are remembered', () => {
    const closed = new ClosedStreams()
    closed.leaveOut(0, 5)
    expect([1, 3, 5, 7].map((id) => closed.kind(id))).toEqual(['left-out', 'left-out', 'closed', 'closed'])
    for (let i = 0; i < 16; i++) closed.leaveOut(5 + 4 * i, 9 + 4 * i)
    expect([3, 7, 67].map((id) => closed.kind(id))).toEqual(['closed', 'left-out', 'left-out'])
  })
})
