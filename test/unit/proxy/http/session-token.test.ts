import { assert, array, integer, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../../../src/lib/secret.ts'
import { type Pin, SessionTokens } from '../../../../src/proxy/http/session-token.ts'

const tokens = new SessionTokens([new Secret('a key')])

const name = (length: number) => uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const pins = (most: number) =>
  array(
    name(4).chain((backend) => name(6).map((endpoint): Pin => ({ backend, endpoint }))),
    { minLength: 1, maxLength: most },
  )

describe('tokens of sessions', () => {
  it('are read as they were written, with the sixteen newest pins', () => {
    assert(
      property(integer({ min: 0, max: 2 ** 47 }), pins(20), (began, given) => {
        const token = tokens.write({ began, pins: given })
        expect(token).toMatch(/^[\w-]{1,243}$/)
        expect(tokens.read(token)).toEqual({ key: tokens.current, began, pins: given.slice(-16) })
        expect(new SessionTokens([new Secret('another')]).read(token)).toBeUndefined()
      }),
    )
  })

  it('cannot be made of any bytes', () => {
    assert(
      property(uint8Array({ maxLength: 200 }), (bytes) => {
        expect(tokens.read(Buffer.from(bytes).toString('base64url'))).toBeUndefined()
        expect(tokens.read(Buffer.from(bytes).toString('latin1'))).toBeUndefined()
      }),
    )
  })
})
