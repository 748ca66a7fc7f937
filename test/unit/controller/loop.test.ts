import { describe, expect, it } from 'vitest'
import { Loop } from '../../../src/controller/loop.ts'

function gate(): { readonly open: () => void; readonly passed: Promise<void> } {
  let open = (): void => undefined
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, passed }
}

describe('the loop', () => {
  it('starts a pass at once when none is running', async () => {
    let passes = 0
    const loop = new Loop(
      async () => {
        passes += 1
      },
      () => undefined,
    )
    loop.lookAgain()
    expect(passes).toBe(1)
    await loop.settled()
    expect(passes).toBe(1)
  })

  it('takes everything that arrives during a pass together in the next one', async () => {
    const first = gate()
    let passes = 0
    let running = 0
    let most = 0
    const loop = new Loop(
      async () => {
        passes += 1
        running += 1
        most = Math.max(most, running)
        if (passes === 1) await first.passed
        running -= 1
      },
      () => undefined,
    )
    for (let i = 0; i < 10; i += 1) loop.lookAgain()
    first.open()
    await loop.settled()
    expect(passes).toBe(2)
    expect(most).toBe(1)
  })

  it('goes on after a pass that failed, and tells of it', async () => {
    const failures: unknown[] = []
    let passes = 0
    const loop = new Loop(
      async () => {
        passes += 1
        if (passes === 1) throw new Error('first')
      },
      (error) => failures.push(error),
    )
    loop.lookAgain()
    await loop.settled()
    loop.lookAgain()
    await loop.settled()
    expect(passes).toBe(2)
    expect(failures).toEqual([new Error('first')])
  })

  it('begins no pass after it was stopped, and waits for the one that runs', async () => {
    const first = gate()
    let passes = 0
    let ended = 0
    const loop = new Loop(
      async () => {
        passes += 1
        await first.passed
        ended += 1
      },
      () => undefined,
    )
    loop.lookAgain()
    loop.lookAgain()
    const stopped = loop.stop()
    loop.lookAgain()
    first.open()
    await stopped
    expect({ passes, ended }).toEqual({ passes: 1, ended: 1 })
  })
})
