/** HTTP/2 as bytes, for clients that break its rules (RFC 9113 section 4.1, RFC 7541). */
export const http2Preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** GET http / of a.example, each field from the static table or as a literal that is not kept. */
export function headerBlock(fields: readonly (readonly [string, string])[] = []): Buffer {
  const literal = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')])
  return Buffer.concat([
    Buffer.from([0x82, 0x86, 0x84, 0x01]),
    literal('a.example'),
    ...fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]),
  ])
}

export const endStream = 1
export const endHeaders = 4

/** The types of the frames in what was received, as far as they are whole. */
export function framesIn(
  bytes: Buffer,
): { readonly type: number; readonly flags: number; readonly stream: number; readonly payload: Buffer }[] {
  const frames = []
  for (let at = 0; at + 9 <= bytes.length;) {
    const end = at + 9 + bytes.readUIntBE(at, 3)
    if (end > bytes.length) break
    frames.push({
      type: bytes[at + 3] ?? 0,
      flags: bytes[at + 4] ?? 0,
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end),
    })
    at = end
  }
  return frames
}
