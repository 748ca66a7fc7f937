/** gRPC by `@grpc/grpc-js`: unary calls whose message is the question's body, and long streams. A 404 is its UNIMPLEMENTED. */
import { Client, type ClientDuplexStream, credentials, Metadata, status } from '@grpc/grpc-js'
import { type Answer, longestWait, type Question, Unanswered, type Way } from './exchange.ts'

const encode = (text: string): Buffer => Buffer.from(text, 'latin1')
const decode = (bytes: Buffer): string => bytes.toString('latin1')

export class GrpcWay implements Way {
  readonly #client: Client

  /** @param authority PEM; absent: clear text */
  constructor(port: number, host: string, authority: string | undefined) {
    const secured = authority === undefined ? credentials.createInsecure() : credentials.createSsl(Buffer.from(authority))
    this.#client = new Client(`127.0.0.1:${port}`, secured, {
      'grpc.default_authority': host,
      'grpc.ssl_target_name_override': host,
      // Neither repetition of requests nor connections that other clients of this process have: what fails must be seen.
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
    })
  }

  ask({ path, query, headers: sent = {}, body = '' }: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const metadata = new Metadata()
      metadata.set('x-query', query)
      for (const [name, value] of Object.entries(sent)) metadata.set(name, value)
      let text: string | undefined
      let initial = new Metadata()
      const call = this.#client.makeUnaryRequest<string, string>(
        path,
        encode,
        decode,
        body,
        metadata,
        { deadline: Date.now() + longestWait },
        (_error, message) => {
          text = message
        },
      )
      call.on('metadata', (received) => {
        initial = received
      })
      // Comes before the callback.
      call.on('status', ({ code, details }) =>
        setImmediate(() => {
          const headers = new Map(Object.entries(initial.getMap()).map(([name, value]) => [name, value.toString()]))
          const answer = { headers, connection: this.#client }
          if (code === status.OK && text !== undefined) resolve({ ...answer, status: 200, body: text })
          else if (code === status.UNIMPLEMENTED) resolve({ ...answer, status: 404, body: details })
          else reject(new Unanswered(`gRPC status ${code}: ${details}`))
        }),
      )
    })
  }

  /** A stream of messages both ways, without a deadline. */
  converse(path: string): ClientDuplexStream<string, string> {
    return this.#client.makeBidiStreamRequest<string, string>(path, encode, decode, new Metadata())
  }

  close(): void {
    this.#client.close()
  }
}
