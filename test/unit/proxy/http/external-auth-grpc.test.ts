import { assert, integer, maxSafeInteger, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readVerdict } from '../../../../src/proxy/http/external-auth-grpc.ts'
import { bytesField, integerField, message, readMessage } from '../../../../src/proxy/http/external-auth-protobuf.ts'

describe('messages of protobuf', () => {
  it('are read as they were written', () => {
    assert(
      property(integer({ min: 1, max: 2000 }), uint8Array(), maxSafeInteger(), (number, value, signed) => {
        const bytes = message(integerField(number + 1, signed), bytesField(number, value), bytesField(number, 'ü'))
        const read = readMessage(bytes)
        expect(read?.bytes(number)).toEqual([Buffer.from(value), Buffer.from('ü')])
        expect(read?.integer(number + 1)).toBe(signed)
      }),
    )
  })

  it('of any bytes are read or refused, and what is cut short is refused', () => {
    assert(
      property(uint8Array({ maxLength: 60 }), (bytes) => {
        readMessage(Buffer.from(bytes))
        readVerdict(Buffer.from(bytes))
      }),
    )
    const whole = bytesField(1, 'four')
    for (let length = 1; length < whole.length; length += 1) expect(readMessage(whole.subarray(0, length))).toBeUndefined()
  })

  it('have unknown fields passed over, fixed ones too', () => {
    const fixed = Buffer.from([(9 << 3) | 1, 1, 2, 3, 4, 5, 6, 7, 8, (10 << 3) | 5, 1, 2, 3, 4])
    expect(readMessage(Buffer.concat([fixed, integerField(1, 7)]))?.integer(1)).toBe(7)
    // Groups are not read.
    expect(readMessage(Buffer.from([(1 << 3) | 3]))).toBeUndefined()
  })
})
