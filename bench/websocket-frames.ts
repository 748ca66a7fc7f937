/** The two frames of the WebSocket load: a message of 125 bytes and its echo (RFC 6455, section 5.2). */
import { webSocketPayload } from './workload.ts'

const finalBinary = 0x82
const masked = 0x80
const mask = Buffer.from([1, 2, 3, 4])

/** As a client sends it. */
export const messageFrame: Buffer = Buffer.concat([
  Buffer.from([finalBinary, masked | webSocketPayload.length]),
  mask,
  webSocketPayload.map((byte, i) => byte ^ (mask[i % 4] ?? 0)),
])

/** As a server sends it. */
export const echoFrame: Buffer = Buffer.concat([Buffer.from([finalBinary, webSocketPayload.length]), webSocketPayload])
