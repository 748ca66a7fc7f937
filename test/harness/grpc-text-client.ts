/** A gRPC client for messages whose field 1 is a string, as the echo backend gives them; methods are named as on the wire. */
import { Client, type ClientOptions, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'

export interface TextCall {
  readonly code: number
  readonly text: string
}

export class GrpcTextClient {
  readonly #client: Client

  /** `authority` is what the client asks for, wherever the connection goes. With `ca`, certificates in PEM, over TLS. */
  constructor({ port, address = '127.0.0.1' }: { readonly port: number; readonly address?: string }, authority: string, ca?: string) {
    const options: ClientOptions = { 'grpc.default_authority': authority, 'grpc.ssl_target_name_override': authority }
    const secured = ca === undefined ? credentials.createInsecure() : credentials.createSsl(Buffer.from(ca))
    this.#client = new Client(`${address}:${port}`, secured, options)
  }

  /** `path` is `/package.Service/Method`. */
  call(path: string, text = '', headers: Readonly<Record<string, string>> = {}): Promise<TextCall> {
    return new Promise((resolve) => {
      const done = (error: ServiceError | null, answer?: string): void =>
        resolve(error === null ? { code: 0, text: answer ?? '' } : { code: error.code, text: error.details })
      this.#client.makeUnaryRequest(path, encode, decode, text, metadata(headers), { deadline: Date.now() + 5_000 }, done)
    })
  }

  /** Sends each text once the answer to the one before it is there, and `between` is done; the answers. */
  async converse(path: string, texts: readonly string[], between = async (): Promise<void> => {}): Promise<string[]> {
    const call = this.#client.makeBidiStreamRequest(path, encode, decode, new Metadata(), { deadline: Date.now() + 5_000 })
    const answers: string[] = []
    const waiting = [...texts]
    const next = (): void => {
      const text = waiting.shift()
      if (text === undefined) call.end()
      else call.write(text)
    }
    next()
    for await (const answer of call) {
      answers.push(answer as string)
      await between()
      next()
    }
    return answers
  }

  close(): void {
    this.#client.close()
  }
}

function metadata(headers: Readonly<Record<string, string>>): Metadata {
  const made = new Metadata()
  for (const [name, value] of Object.entries(headers)) made.set(name, value)
  return made
}

function encode(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length: number[] = []
  for (let rest = bytes.length; ; rest >>>= 7) {
    if (rest < 0x80) {
      length.push(rest)
      break
    }
    length.push((rest & 0x7f) | 0x80)
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), bytes])
}

/** Throws when the message is anything but that one field. */
function decode(message: Buffer): string {
  let at = 1
  let length = 0
  for (let shift = 0; ; shift += 7) {
    const byte = message[at++] ?? 0
    length |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  if (message[0] !== 0x0a || at + length !== message.length) throw new Error('Cannot read a message: it must be one string, field 1')
  return message.subarray(at).toString()
}
