import { describe, expect, it } from 'vitest'
import { Overhead } from '../../../src/proxy/h2/overhead.ts'

function scene() {
  const clock = { now: 5_000 }
  const socket = { bytesWritten: 0 }
  const overhead = new Overhead({ bytes: 1_000, window: 10_000 }, clock, socket)
  /** A chunk of bytes, of which some were of use. */
  const read = (bytes: number, useful = 0): boolean => {
    overhead.came(bytes)
    overhead.useful += useful
    return overhead.isTooMuch
  }
  return { clock, socket, read }
}

describe('[wire:h2-overhead] what belongs to no request', () => {
  it('is too much as soon as it is more than the bound', () => {
    const { read } = scene()
    expect([900, 100, 1].map((bytes) => read(bytes))).toEqual([false, false, true])
  })

  it('is counted anew in each window', () => {
    const { clock, read } = scene()
    expect(read(1_000)).toBe(false)
    clock.now += 9_999
    expect(read(1)).toBe(true)
    clock.now += 1
    expect([read(1_000), read(1)]).toEqual([false, true])
    // A window begins with bytes.
    clock.now += 35_000
    expect(read(1_000)).toBe(false)
    clock.now += 9_000
    expect(read(1)).toBe(true)
  })

  it('may be more for a body of single bytes', () => {
    const { read } = scene()
    expect(Array.from({ length: 1_000 }, () => read(10, 1))).not.toContain(true)
    // What is left of it: 16 bytes for each of the body, and those of the bound.
    expect([read(7_000), read(1)]).toEqual([false, true])
  })

  it('may be more for the window updates of a download, in its window', () => {
    const { clock, socket, read } = scene()
    expect(read(1_000)).toBe(false)
    socket.bytesWritten = 16_000
    expect([read(16_000), read(1)]).toEqual([false, true])
    clock.now += 10_000
    expect(read(1_001)).toBe(true)
  })
})
