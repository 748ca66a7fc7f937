import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FrameHandler, FrameReader } from '../../../src/proxy/h2/frame-reader.ts'
import { frame } from '../../harness/http2-frames.ts'

/** What was read, neighbouring DATA of a stream joined. */
class Log implements FrameHandler {
  isReading = true
  readonly lines: string[] = []
  #data = new Map<number, string>()

  onFrame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    this.#flush()
    this.lines.push(`${type} ${flags} ${stream} ${bytes.toString('hex', from, to)}`)
  }

  onData(stream: number, bytes: Buffer, from: number, to: number, endStream: boolean): void {
    if (to > from) this.#data.set(stream, (this.#data.get(stream) ?? '') + bytes.toString('hex', from, to))
    if (!endStream) return
    this.#flush()
    this.lines.push(`end of ${stream}`)
  }

  onEmptyData(stream: number): void {
    this.lines.push(`empty ${stream}`)
  }

  onTooLarge(): void {
    this.lines.push('too large')
    this.isReading = false
  }

  get all(): string[] {
    this.#flush()
    return this.lines
  }

  #flush(): void {
    for (const [stream, data] of this.#data) this.lines.push(`data of ${stream}: ${data}`)
    this.#data.clear()
  }
}

function read(pieces: readonly Buffer[]): string[] {
  const log = new Log()
  const reader = new FrameReader(log)
  for (const piece of pieces) {
    reader.push(piece, 0)
    // Valid during the call only.
    piece.fill(0xaa)
  }
  return log.all
}

const oneFrame = fc
  .record({
    type: fc.integer({ min: 0, max: 12 }),
    flags: fc.integer({ min: 0, max: 255 }),
    stream: fc.integer({ min: 0, max: 9 }),
    payload: fc.uint8Array({ maxLength: 40 }),
  })
  .map(({ type, flags, stream, payload }) => frame(type, flags, stream, Buffer.from(payload)))

describe('frames', () => {
  it('are the same however their bytes come', () => {
    fc.assert(
      fc.property(fc.array(oneFrame, { maxLength: 12 }), fc.infiniteStream(fc.integer({ min: 1, max: 30 })), (frames, sizes) => {
        const whole = Buffer.concat(frames)
        const pieces: Buffer[] = []
        for (let at = 0; at < whole.length;) {
          const size = sizes.next().value
          pieces.push(Buffer.from(whole.subarray(at, at + size)))
          at += size
        }
        expect(read(pieces)).toEqual(read([Buffer.from(whole)]))
      }),
    )
  })

  it('of DATA give all of their bytes, and the end behind the last', () => {
    const data = frame(0, 1, 5, Buffer.from('0123456789'))
    for (let at = 1; at < data.length; at++) {
      const pieces = [Buffer.from(data.subarray(0, at)), Buffer.from(data.subarray(at))]
      expect(read(pieces)).toEqual([`data of 5: ${Buffer.from('0123456789').toString('hex')}`, 'end of 5'])
    }
  })

  it('may be as large as they may be, and no larger', () => {
    expect(read([frame(1, 4, 1, Buffer.alloc(16_384))])).toHaveLength(1)
    expect(read([frame(1, 4, 1, Buffer.alloc(16_385)), frame(6, 0, 0, Buffer.alloc(8))])).toEqual(['too large'])
  })
})
