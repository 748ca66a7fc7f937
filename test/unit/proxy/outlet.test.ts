import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Outlet, WriteBuffer } from '../../../src/proxy/outlet.ts'

/** Takes writes at once, or keeps the very memory that it was given until `take`. */
class FakeSocket {
  taken: string[] = []
  slow = false
  #waiting: (Buffer | string)[] = []

  get writableLength(): number {
    return this.#waiting.reduce((sum, piece) => sum + piece.length, 0)
  }

  write(piece: Buffer | string): boolean {
    this.#waiting.push(piece)
    if (!this.slow) this.take()
    return true
  }

  take(): void {
    this.taken.push(...this.#waiting.map((piece) => (typeof piece === 'string' ? piece : piece.toString('latin1'))))
    this.#waiting = []
  }
}

function scene(shared = new WriteBuffer(), blockedAbove = 64 * 1024) {
  const socket = new FakeSocket()
  return { socket, shared, outlet: new Outlet(socket as unknown as Socket, shared, blockedAbove) }
}

const large = (letter: string): Buffer => Buffer.alloc(20_000, letter)

describe('an outlet', () => {
  it('[wire:bounds-options] is blocked by more than its bound', () => {
    const { socket, outlet } = scene(undefined, 10)
    socket.slow = true
    outlet.text('x'.repeat(10))
    outlet.flush()
    expect(outlet.blocked).toBe(false)
    outlet.text('x')
    outlet.flush()
    expect(outlet.blocked).toBe(true)
  })

  it('writes a head and a small body at once', () => {
    const { socket, outlet } = scene()
    outlet.text('head ')
    outlet.bytes(Buffer.from('[body]'), 1, 5)
    expect(socket.taken).toEqual([])
    outlet.flush()
    outlet.flush()
    expect(socket.taken).toEqual(['head body'])
  })

  it('writes a head, a large piece and what frames it at once', () => {
    const { socket, outlet } = scene()
    outlet.text('4e20\r\n')
    outlet.bytes(large('a'), 0, 20_000)
    outlet.text('\r\n')
    outlet.flush()
    expect(socket.taken).toEqual([`4e20\r\n${'a'.repeat(20_000)}\r\n`])
  })

  it('keeps the order of everything, whatever its size', () => {
    const { socket, outlet } = scene()
    const sizes = [3, 5_000, 70_000, 1, 4_096, 4_097, 132 * 1024, 300_000, 0, 9]
    let expected = ''
    for (const [i, size] of sizes.entries()) {
      const letter = String.fromCharCode(97 + i)
      outlet.text(`<${i}>`)
      outlet.bytes(Buffer.alloc(size, letter), 0, size)
      expected += `<${i}>${letter.repeat(size)}`
    }
    outlet.text('y'.repeat(70_000))
    outlet.bytes(large('z'), 0, 20_000)
    outlet.flush()
    expect(socket.taken.join('') === expected + 'y'.repeat(70_000) + 'z'.repeat(20_000)).toBe(true)
  })

  it('does not touch memory that its socket still needs', () => {
    const { socket, outlet } = scene()
    socket.slow = true
    for (const letter of ['a', 'b', 'c']) {
      outlet.bytes(large(letter), 0, 20_000)
      outlet.flush()
    }
    socket.take()
    expect(socket.taken).toEqual(['a', 'b', 'c'].map((letter) => letter.repeat(20_000)))
  })

  it('shares its buffer with others, whose bytes go where they belong', () => {
    const one = scene()
    const two = scene(one.shared)
    one.outlet.text('one ')
    one.outlet.bytes(large('a'), 0, 20_000)
    two.outlet.bytes(large('b'), 0, 20_000)
    one.outlet.text(' more')
    two.outlet.drop()
    one.outlet.flush()
    two.outlet.bytes(large('c'), 0, 20_000)
    two.outlet.flush()
    expect(one.socket.taken.join('')).toBe(`one ${'a'.repeat(20_000)} more`)
    expect(two.socket.taken).toEqual(['c'.repeat(20_000)])
  })

  it('is blocked while its socket holds more than 64 KiB', () => {
    const { socket, outlet } = scene()
    socket.slow = true
    outlet.bytes(Buffer.alloc(65_536), 0, 65_536)
    outlet.flush()
    expect([outlet.blocked, outlet.isEmpty]).toEqual([false, false])
    outlet.text('x')
    outlet.flush()
    expect(outlet.blocked).toBe(true)
    socket.take()
    expect([outlet.blocked, outlet.isEmpty]).toEqual([false, true])
  })
})
