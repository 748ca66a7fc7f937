/** One gRPC call through the data plane, by a real implementation, and what the suite looks at. */
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { type GrpcEcho, type GrpcMethod, grpcMethod } from './grpc-echo-pod.ts'

/** A method, or more. A call without authority is for the Gateway's address. */
export type Call = GrpcMethod | CallSketch

interface CallSketch {
  readonly method: GrpcMethod
  readonly authority?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** The backend that answered and received the call as it was made, or the name of the code of an error. */
export type CallOutcome = string

export type CallRow = readonly [call: Call, outcome: CallOutcome]

/** What became of a call. */
export interface CallAnswer {
  /** `OK`, `UNIMPLEMENTED`, ... */
  readonly code: string
  /** Absent unless a backend answered. */
  readonly echo?: GrpcEcho
}

/** @param address the Gateway's with its port: what a client would dial */
export async function callGrpc(listenPort: number, address: string, call: Call): Promise<CallAnswer> {
  const { method, authority = address, metadata = {} } = typeof call === 'string' ? { method: call } : call
  const client = new Client(`127.0.0.1:${listenPort}`, credentials.createInsecure(), { 'grpc.default_authority': authority })
  const { path, requestSerialize, responseDeserialize } = grpcMethod(method)
  const sent = new Metadata()
  for (const [name, value] of Object.entries(metadata)) sent.set(name, value)
  try {
    return await new Promise<CallAnswer>((resolve, reject) => {
      const deadline = Date.now() + 10_000
      const done = (error: ServiceError | null, echo?: GrpcEcho): void => {
        if (error !== null) resolve({ code: status[error.code] })
        else if (echo === undefined) reject(new Error(`${path} was answered without a message`))
        else resolve({ code: 'OK', echo })
      }
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, sent, { deadline }, done)
    })
  } finally {
    client.close()
  }
}
