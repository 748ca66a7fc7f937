/** A client that writes frames as it likes, and reads those that come. */
import { connect, type Socket } from 'node:net'
import { frame, frameType, framesIn, http2Preface } from './http2-frames.ts'

export class FrameClient {
  readonly socket: Socket
  ended = false
  #received = Buffer.alloc(0)

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' })
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.ended = true
    })
    this.socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes])
    })
  }

  /** Begins as it should. */
  static greet(port: number): FrameClient {
    const client = new FrameClient(port)
    client.socket.write(Buffer.concat([http2Preface, frame(frameType.settings, 0, 0)]))
    return client
  }

  get frames(): ReturnType<typeof framesIn> {
    return framesIn(this.#received)
  }

  /** The code of the GOAWAY that came; undefined: none did. */
  get goaway(): number | undefined {
    return this.frames.find(({ type }) => type === frameType.goaway)?.payload.readUInt32BE(4)
  }

  resetOf(stream: number): number | undefined {
    return this.frames.find((one) => one.type === frameType.reset && one.stream === stream)?.payload.readUInt32BE(0)
  }
}
