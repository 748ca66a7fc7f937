/**
 * A pod of the suite that speaks gRPC only, as a real implementation does: it answers with its own name and what it received.
 * The messages are JSON, since nobody between the two ends looks at them. Unlike the suite's it has all methods that are
 * called: only the gateway says of one that it is not implemented.
 */
import {
  type Metadata,
  type MethodDefinition,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import type { ContainerPorts } from './echo-pod.ts'

export type GrpcMethod = 'Echo' | 'EchoTwo' | 'EchoThree'

/** The message of an answer. */
export interface GrpcEcho {
  readonly namespace: string
  readonly pod: string
  /** `/service/method`. */
  readonly path: string
  readonly authority: string
  /** Values of equal names joined by a comma and a space. */
  readonly metadata: Readonly<Record<string, string>>
}

export class GrpcEchoPod {
  readonly #server: Server
  readonly ports: ContainerPorts
  readonly paths: readonly string[] = []

  private constructor(server: Server, port: number) {
    this.#server = server
    this.ports = new Map([[3000, port]])
  }

  static async start(namespace: string, name: string): Promise<GrpcEchoPod> {
    const server = new Server()
    const echo = (call: ServerUnaryCall<object, GrpcEcho>, done: sendUnaryData<GrpcEcho>): void =>
      done(null, { namespace, pod: name, path: call.getPath(), authority: call.getHost(), metadata: joined(call.metadata) })
    const methods = ['Echo', 'EchoTwo', 'EchoThree'] as const
    const handlers: UntypedServiceImplementation = Object.fromEntries(methods.map((method) => [method, echo]))
    server.addService(Object.fromEntries(methods.map((method) => [method, grpcMethod(method)])), handlers)
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
    return new GrpcEchoPod(server, port)
  }

  close(): Promise<void> {
    this.#server.forceShutdown()
    return Promise.resolve()
  }
}

/** A method of the suite's service. */
export function grpcMethod(name: GrpcMethod): MethodDefinition<object, GrpcEcho> {
  return {
    path: `/gateway_api_conformance.echo_basic.grpcecho.GrpcEcho/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: () => ({}),
    responseSerialize: (echo) => Buffer.from(JSON.stringify(echo)),
    responseDeserialize: (bytes) => JSON.parse(bytes.toString()) as GrpcEcho,
  }
}

function joined(metadata: Metadata): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(metadata.getMap()).map((name) => [name, metadata.get(name).join(', ')]))
}
