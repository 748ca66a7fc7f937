/**
 * The handles and requests of libuv beneath Node's sockets: private API, which is looked for here (see docs/adr/0009). Where it
 * does not look as expected there is none, and whoever asks uses streams.
 */
import { getSystemErrorMap } from 'node:util'

/** Filled in by the handle. */
export interface HandleEnd {
  readonly address?: string
  readonly port?: number
}

/** Every function that returns a number returns 0 or a negative system error. */
export interface TcpHandle {
  /** How many bytes came, or why none did, is `TcpBinding.readResult`. */
  onread: (this: TcpHandle) => void
  /** Bytes that were written and that the kernel has not taken. */
  readonly writeQueueSize: number
  /** All that was written, taken or not. */
  readonly bytesWritten: number
  readStart(): number
  readStop(): number
  /** All reads go there. */
  useUserBuffer(bytes: Uint8Array): void
  writeBuffer(request: WriteRequest | null, bytes: Uint8Array): number | WriteRequest
  writeLatin1String(request: WriteRequest, text: string): number
  writeLatin1String(request: WriteRequest | null, text: string): number | WriteRequest
  shutdown(request: ShutdownRequest): number
  connect(request: ConnectRequest, address: string, port: number): number
  connect6(request: ConnectRequest, address: string, port: number): number
  setNoDelay(on: boolean): number
  getpeername(into: HandleEnd): number
  getsockname(into: HandleEnd): number
  close(closed: (this: TcpHandle) => void): void
  /** Must not be called while a shutdown is under way: then it neither resets nor closes. */
  reset(closed: (this: TcpHandle) => void): number
}

/** The handle keeps it only when the kernel did not take everything at once. */
export interface WriteRequest {
  handle?: unknown
  /** Held until it is done. */
  buffer?: Uint8Array | undefined
  oncomplete?: (this: WriteRequest, status: number) => void
  /** Done before there was an `oncomplete`; null: not yet. Not in all versions. */
  readonly writeStatus?: number | null
}

export interface ShutdownRequest {
  handle?: unknown
  oncomplete?: (this: ShutdownRequest) => void
}

export interface ConnectRequest {
  handle?: unknown
  address?: string
  port?: number
  oncomplete?: (this: ConnectRequest, status: number) => void
}

export interface WriteBinding {
  readonly WriteWrap: new () => WriteRequest
  readonly streamBaseState: ArrayLike<number>
  readonly kLastWriteWasAsync: number
}

export interface TcpBinding {
  readonly newHandle: () => TcpHandle
  readonly Connect: new () => ConnectRequest
  readonly Shutdown: new () => ShutdownRequest
  /** Of the `onread` that is being called. */
  readonly readResult: () => number
  /** Nothing more will come. */
  readonly endOfFile: number
  /** 0: taken; a negative system error; or a request that tells when it is. */
  readonly write: (handle: TcpHandle, piece: string | Uint8Array) => number | WriteRequest
  readonly isHandle: (value: unknown) => value is TcpHandle
}

interface StreamWrap extends WriteBinding {
  readonly ShutdownWrap: new () => ShutdownRequest
  readonly kReadBytesOrError: number
  /** Its presence says that a handle makes the request to write itself, only when it needs one. */
  readonly kLastWriteErr: number
}

interface TcpWrap {
  readonly TCP: (new (type: number) => TcpHandle) & { readonly prototype: TcpHandle }
  readonly TCPConnectWrap: new () => ConnectRequest
  readonly constants: { readonly SOCKET?: number }
}

interface Bindings {
  readonly binding: ((name: 'stream_wrap') => Partial<StreamWrap>) & ((name: 'tcp_wrap') => Partial<TcpWrap>)
}

const used: readonly (keyof TcpHandle)[] = [
  'readStart',
  'readStop',
  'useUserBuffer',
  'writeBuffer',
  'writeLatin1String',
  'shutdown',
  'connect',
  'connect6',
  'setNoDelay',
  'getpeername',
  'getsockname',
  'close',
  'reset',
]

const read: readonly (keyof TcpHandle)[] = ['writeQueueSize', 'bytesWritten']

/** To write past a stream. Undefined also where a handle makes the request itself: there streams cost less. */
export const writeBinding: WriteBinding | undefined = attempt(() => {
  const found = (process as unknown as Bindings).binding('stream_wrap')
  return found.kLastWriteErr === undefined ? writeBindingOf(found) : undefined
})

/** For sockets without streams. */
export const tcpBinding: TcpBinding | undefined = attempt(() => {
  const { binding } = process as unknown as Bindings
  const streams = binding('stream_wrap')
  const { TCP, TCPConnectWrap, constants } = binding('tcp_wrap')
  const { ShutdownWrap, kReadBytesOrError, kLastWriteErr } = streams
  const writing = writeBindingOf(streams)
  const endOfFile = [...getSystemErrorMap()].find(([, [name]]) => name === 'EOF')?.[0]
  const type = constants?.SOCKET
  if (writing === undefined || endOfFile === undefined || type === undefined || kReadBytesOrError === undefined) return undefined
  if (typeof TCP !== 'function' || typeof TCPConnectWrap !== 'function' || typeof ShutdownWrap !== 'function') return undefined
  const prototype: object = TCP.prototype
  if (!used.every((name) => typeof Reflect.get(prototype, name) === 'function') || !read.every((name) => name in prototype))
    return undefined
  const { streamBaseState } = writing
  return {
    newHandle: () => new TCP(type),
    Connect: TCPConnectWrap,
    Shutdown: ShutdownWrap,
    readResult: () => streamBaseState[kReadBytesOrError] ?? 0,
    endOfFile,
    write: kLastWriteErr === undefined ? writingWithRequest(writing) : writingWithoutRequest(streamBaseState, kLastWriteErr),
    isHandle: (value): value is TcpHandle => value instanceof TCP,
  }
})

function writeBindingOf({ WriteWrap, streamBaseState, kLastWriteWasAsync }: Partial<WriteBinding>): WriteBinding | undefined {
  if (typeof WriteWrap !== 'function' || streamBaseState === undefined || typeof kLastWriteWasAsync !== 'number') return undefined
  return { WriteWrap, streamBaseState, kLastWriteWasAsync }
}

function writingWithRequest({ WriteWrap, streamBaseState, kLastWriteWasAsync }: WriteBinding): TcpBinding['write'] {
  /** Was not kept by a handle: serves again. */
  let spare: WriteRequest | undefined
  return (handle, piece) => {
    const request = spare ?? new WriteWrap()
    spare = undefined
    const status = pass(handle, request, piece)
    if (status !== 0) return status
    if (streamBaseState[kLastWriteWasAsync] !== 0) return request
    spare = request
    return 0
  }
}

function writingWithoutRequest(streamBaseState: ArrayLike<number>, kLastWriteErr: number): TcpBinding['write'] {
  return (handle, piece) => {
    const result = pass(handle, null, piece)
    if (typeof result === 'number') return result
    const status = streamBaseState[kLastWriteErr] ?? 0
    return status === 0 ? (result.writeStatus ?? result) : status
  }
}

function pass(handle: TcpHandle, request: WriteRequest | null, piece: string | Uint8Array): number | WriteRequest {
  return typeof piece === 'string' ? handle.writeLatin1String(request, piece) : handle.writeBuffer(request, piece)
}

function attempt<T>(find: () => T): T | undefined {
  try {
    return find()
  } catch {
    return undefined
  }
}
