/**
 * Just enough of protobuf's wire format for the messages of external authorisation: fields of bytes and integers, and
 * messages of them. Text is UTF-8; unknown fields are passed over.
 */

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/** A field of bytes, text or a message; '' and no bytes are written too, since presence may matter. */
export function bytesField(number: number, value: Uint8Array | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
  return Buffer.concat([varint(BigInt((number << 3) | BYTES)), varint(BigInt(bytes.length)), bytes])
}

/** int32, int64, enum: negative numbers as 64 bits in two's complement. */
export function integerField(number: number, value: number): Buffer {
  return Buffer.concat([varint(BigInt((number << 3) | VARINT)), varint(BigInt.asUintN(64, BigInt(value)))])
}

export function message(...fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields)
}

/** The fields of a message, in their order. */
export interface Fields {
  /** Values of a field of bytes, text or messages. */
  bytes(number: number): readonly Buffer[]
  /** The last value, as a signed 64-bit integer cut to a safe number; 0 when absent. */
  integer(number: number): number
}

/** Undefined when the bytes are no message. */
export function readMessage(bytes: Buffer): Fields | undefined {
  const lengths = new Map<number, Buffer[]>()
  const integers = new Map<number, number>()
  let at = 0
  while (at < bytes.length) {
    const tag = readVarint(bytes, at)
    if (tag === undefined) return undefined
    at = tag.next
    const number = Number(tag.value >> 3n)
    const type = Number(tag.value & 7n)
    if (type === FIXED64) at += 8
    else if (type === FIXED32) at += 4
    else if (type === VARINT || type === BYTES) {
      const value = readVarint(bytes, at)
      if (value === undefined) return undefined
      at = value.next
      if (type === VARINT) integers.set(number, Number(BigInt.asIntN(64, value.value)))
      else {
        const end = at + Number(value.value)
        if (end > bytes.length) return undefined
        lengths.set(number, [...(lengths.get(number) ?? []), bytes.subarray(at, end)])
        at = end
      }
    } else return undefined
  }
  if (at !== bytes.length) return undefined
  return { bytes: (number) => lengths.get(number) ?? [], integer: (number) => integers.get(number) ?? 0 }
}

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

function readVarint(bytes: Buffer, from: number): { readonly value: bigint; readonly next: number } | undefined {
  let value = 0n
  for (let i = 0; i < 10; i += 1) {
    const byte = bytes[from + i]
    if (byte === undefined) return undefined
    value |= BigInt(byte & 127) << BigInt(7 * i)
    if (byte < 128) return { value: BigInt.asUintN(64, value), next: from + i + 1 }
  }
  return undefined
}
