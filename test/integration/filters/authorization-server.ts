/** An authorisation server of the real gRPC implementation, which answers as a test says. */
import { type GrpcObject, loadPackageDefinition, Server, ServerCredentials, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { fileURLToPath } from 'node:url'

export interface CheckRequest {
  readonly attributes: {
    readonly source: { readonly address: { readonly socket_address: { readonly address: string } } }
    readonly request: {
      readonly time: { readonly seconds: string; readonly nanos: number }
      readonly http: {
        readonly id: string
        readonly method: string
        readonly headers: Readonly<Record<string, string>>
        readonly path: string
        readonly host: string
        readonly scheme: string
        readonly size: string
        readonly protocol: string
        readonly body: string
        readonly raw_body: Buffer
      }
    }
  }
}

interface Option {
  readonly header: { readonly key: string; readonly value?: string; readonly raw_value?: Buffer }
  readonly append?: { readonly value: boolean }
}

export interface CheckResponse {
  readonly status?: { readonly code: number; readonly message?: string }
  readonly denied_response?: { readonly status?: { readonly code: number }; readonly headers?: readonly Option[]; readonly body?: string }
  readonly ok_response?: { readonly headers?: readonly Option[]; readonly headers_to_remove?: readonly string[] }
}

/** An error of gRPC: its status. */
export type Decide = (request: CheckRequest) => CheckResponse | { readonly error: number } | 'silence'

export class AuthorizationServer {
  readonly requests: CheckRequest[] = []
  readonly #server = new Server()
  port = 0

  static async listen(decide: Decide): Promise<AuthorizationServer> {
    const one = new AuthorizationServer()
    const file = fileURLToPath(new URL('../../fixtures/ext-authz.proto', import.meta.url))
    const definition = loadPackageDefinition(loadSync(file, { keepCase: true, longs: String, defaults: true }))
    const api = (((definition['envoy'] as GrpcObject)['service'] as GrpcObject)['auth'] as GrpcObject)['v3'] as GrpcObject
    one.#server.addService((api['Authorization'] as ServiceClientConstructor).service, {
      Check(call: { request: CheckRequest }, answer: (error: { code: number } | null, response?: CheckResponse) => void) {
        one.requests.push(call.request)
        const decision = decide(call.request)
        if (decision === 'silence') return
        if ('error' in decision) answer({ code: decision.error })
        else answer(null, decision)
      },
    })
    one.port = await new Promise((resolve, reject) => {
      one.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      )
    })
    return one
  }

  close(): void {
    this.#server.forceShutdown()
  }
}
