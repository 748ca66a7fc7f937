/** A WebSocket by hand (RFC 6455) over a raw client: short text messages only. */
import { randomBytes } from 'node:crypto'
import { eventually } from './eventually.ts'
import type { RawAnswer, RawClient } from './raw-client.ts'

export class WebSocketClient {
  readonly #client: RawClient
  #taken = 0

  constructor(client: RawClient) {
    this.#client = client
  }

  /** Asks for the upgrade; `lines` are more of its head. */
  upgrade(url: string, lines: readonly string[] = []): Promise<RawAnswer> {
    const { pathname, search, hostname } = new URL(url)
    const head = [
      `GET ${pathname}${search} HTTP/1.1`,
      `Host: ${hostname}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      ...lines,
    ]
    this.#client.send(`${head.join('\r\n')}\r\n\r\n`)
    return this.#client.head()
  }

  /** One masked text frame; at most 125 bytes. */
  send(text: string): void {
    const payload = Buffer.from(text)
    const mask = randomBytes(4)
    const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))
    this.#client.socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, masked]))
  }

  /** The next text message; its frame must not be longer than 64 KiB. */
  message(within?: number): Promise<string> {
    return eventually(() => this.#frame(), 'a message', within)
  }

  #frame(): string | undefined {
    const bytes = Buffer.from(this.#client.received, 'latin1').subarray(this.#taken)
    if (bytes.length < 4) return undefined
    const short = (bytes[1] ?? 0) & 0x7f
    const start = short === 126 ? 4 : 2
    const length = short === 126 ? bytes.readUInt16BE(2) : short
    if (bytes.length < start + length) return undefined
    if (bytes[0] !== 0x81) throw new Error(`Cannot read a frame: it must be a whole text message, got ${bytes[0]}`)
    this.#taken += start + length
    return bytes.subarray(start, start + length).toString()
  }
}
