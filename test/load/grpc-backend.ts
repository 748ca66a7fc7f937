/** A gRPC backend that answers a unary call of any service with its testimony and the message, and echoes streams. */
import {
  type MethodDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js'
import type { Acceptor } from './backends.ts'
import type { Testimony } from './expectation.ts'

const encode = (text: string): Buffer => Buffer.from(text, 'latin1')
const decode = (bytes: Buffer): string => bytes.toString('latin1')

function method(path: string, stream: boolean): MethodDefinition<string, string> {
  return {
    path,
    requestStream: stream,
    responseStream: stream,
    requestSerialize: encode,
    requestDeserialize: decode,
    responseSerialize: encode,
    responseDeserialize: decode,
  }
}

/**
 * @param services unary methods by service; each has the method `chat` beside them
 * @param seen gets the token of each call
 */
export function grpcAcceptor(
  name: string,
  services: Readonly<Record<string, readonly string[]>>,
  seen: (token: string) => void,
): { accept: Acceptor; end: () => void } {
  const server = new Server()
  for (const [service, methods] of Object.entries(services)) {
    const definition = Object.fromEntries(methods.map((one) => [one, method(`/${service}/${one}`, false)]))
    server.addService(
      { ...definition, chat: method(`/${service}/chat`, true) },
      { ...Object.fromEntries(methods.map((one) => [one, unary(name, `/${service}/${one}`, seen)])), chat },
    )
  }
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  return { accept: (socket) => injector.injectConnection(socket), end: () => server.forceShutdown() }
}

function unary(name: string, path: string, seen: (token: string) => void) {
  return (call: ServerUnaryCall<string, string>, done: sendUnaryData<string>): void => {
    const value = (field: string): string | undefined => call.metadata.get(field)[0]?.toString()
    const query = new URLSearchParams(value('x-query'))
    seen(query.get('token') ?? '')
    const edition = value('x-edition')
    const testimony: Testimony = { backend: name, host: call.getHost(), path, ...(edition === undefined ? {} : { edition }) }
    const trailers = new Metadata()
    trailers.set('x-backend', name)
    setTimeout(() => done(null, `${JSON.stringify(testimony)}\n${call.request}`, trailers), Number(query.get('delay') ?? 0))
  }
}

function chat(call: ServerDuplexStream<string, string>): void {
  call.on('data', (message: string) => call.write(message))
  call.on('end', () => call.end())
  call.on('error', () => {})
}
