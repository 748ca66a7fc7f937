import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameReader, frameOf } from '../../../src/delivery/frames.ts'

describe('frames', () => {
  it('give the messages back, however the bytes are cut', () => {
    const messages = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 6 })
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(frameOf))
        const reader = new FrameReader(1_000_000)
        const received: unknown[] = []
        for (let at = 0, i = 0; at < bytes.length; i += 1) {
          const end = at + (cuts[i % cuts.length] ?? 1)
          received.push(...reader.push(bytes.subarray(at, end)))
          at = end
        }
        expect(received).toEqual(JSON.parse(JSON.stringify(sent)))
      }),
    )
  })

  it('that are longer than agreed are refused before they have come', () => {
    const reader = new FrameReader(10)
    expect(() => reader.push(Buffer.from([0, 0, 1, 0]))).toThrow('Cannot read a message: it must have at most 10 bytes, got 256')
  })

  it('that hold no JSON are refused', () => {
    expect(() => new FrameReader(10).push(Buffer.from([0, 0, 0, 1, 0x7b]))).toThrow()
  })
})
