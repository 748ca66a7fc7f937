import {
  type ChannelOptions,
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import type { FilterConfig } from '../../../src/config/filter.ts'
import type { Gateway } from '../../harness/gateway.ts'
import type { RuleSketch } from '../../harness/gateway-config.ts'
import { harness } from '../../harness/harness.ts'

const h = harness()
const opened: (() => void)[] = []
afterEach(() => {
  for (const close of opened.splice(0).reverse()) close()
})

const plain = (text: string): Buffer => Buffer.from(text)
const text = (bytes: Buffer): string => bytes.toString()

function method(name: string, requestStream: boolean, responseStream: boolean): MethodDefinition<string, string> {
  const serializers = { requestSerialize: plain, requestDeserialize: text, responseSerialize: plain, responseDeserialize: text }
  return { path: `/test.Echo/${name}`, requestStream, responseStream, ...serializers }
}

const service = {
  unary: method('Unary', false, false),
  upload: method('Upload', true, false),
  download: method('Download', false, true),
  chat: method('Chat', true, true),
}

async function backend(
  more: Partial<UntypedServiceImplementation> = {},
): Promise<{ port: number; server: Server; deadlines: (Date | number)[] }> {
  const server = new Server()
  const deadlines: (Date | number)[] = []
  server.addService(service, {
    unary: (
      call: { request: string; metadata: Metadata; getDeadline(): Date | number },
      done: (error: object | null, answer?: string, trailers?: Metadata) => void,
    ) => {
      deadlines.push(call.getDeadline())
      if (call.request === 'fail') return done({ code: 5, details: 'not here' })
      if (call.request === 'silent') return undefined
      const trailers = new Metadata()
      trailers.set('x-sum', String(call.request.length))
      done(null, `${call.request}!`, trailers)
    },
    upload: (call: AsyncIterable<string>, done: (error: null, answer: string) => void) => {
      void (async () => {
        let all = ''
        for await (const one of call) all += one
        done(null, all)
      })()
    },
    download: (call: { request: string; write(one: string): void; end(): void }) => {
      for (const letter of call.request) call.write(letter)
      call.end()
    },
    chat: (call: { on(event: string, listener: (one: string) => void): void; write(one: string): void; end(): void }) => {
      call.on('data', (one) => call.write(`${one}?`))
      call.on('end', () => call.end())
      call.on('error', () => {})
    },
    ...more,
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)))
  })
  opened.push(() => server.forceShutdown())
  return { port, server, deadlines }
}

function echo(gate: Gateway, options: ChannelOptions = {}): Client {
  const client = new Client(`127.0.0.1:${gate.port}`, credentials.createInsecure(), {
    'grpc.enable_retries': 0,
    'grpc.default_authority': 'a.example',
    ...options,
  })
  opened.push(() => client.close())
  return client
}

interface Outcome {
  readonly code: number
  readonly answer: string | undefined
  readonly details: string
  readonly trailers: Metadata | undefined
}

function unary(client: Client, request: string, deadline = 5_000, path = service.unary.path): Promise<Outcome> {
  return new Promise((resolve) => {
    let answer: string | undefined
    const call = client.makeUnaryRequest(
      path,
      plain,
      text,
      request,
      new Metadata(),
      { deadline: Date.now() + deadline },
      (_error, value) => {
        answer = value
      },
    )
    call.on('status', ({ code, details, metadata }) => setImmediate(() => resolve({ code, answer, details, trailers: metadata })))
  })
}

function gateway(port: number, rule: Partial<RuleSketch> = {}, ports: readonly number[] = [port]): Promise<Gateway> {
  return h.gateway({ pools: { web: ports }, h2c: ['web'], rules: [{ grpc: true, backends: ['web'], ...rule }] })
}

describe('gRPC', () => {
  it('[wire:grpc-calls] calls of every form go through, with their metadata and trailers', async () => {
    const { port } = await backend()
    const client = echo(await gateway(port))
    const one = await unary(client, 'hello')
    expect([one.code, one.answer, one.trailers?.get('x-sum')]).toEqual([0, 'hello!', ['5']])
    const upload = await new Promise((resolve, reject) => {
      const call = client.makeClientStreamRequest<string, string>(
        service.upload.path,
        plain,
        text,
        (error: ServiceError | null, answer?: string) => (error === null ? resolve(answer) : reject(error)),
      )
      for (const letter of 'abc') call.write(letter)
      call.end()
    })
    expect(upload).toBe('abc')
    let downloaded = ''
    for await (const letter of client.makeServerStreamRequest<string, string>(service.download.path, plain, text, 'xyz'))
      downloaded += letter
    expect(downloaded).toBe('xyz')
    const chat = client.makeBidiStreamRequest<string, string>(service.chat.path, plain, text)
    const heard: string[] = []
    chat.on('data', (word: string) => heard.push(word))
    for (const word of ['one', 'two']) {
      chat.write(word)
      await expect.poll(() => heard).toContain(`${word}?`)
    }
    const status = new Promise<number>((resolve) => {
      chat.on('status', ({ code }) => resolve(code))
    })
    chat.end()
    expect(await status).toBe(0)
  })

  it('[wire:grpc-calls] messages of a megabyte arrive as they are', async () => {
    const { port } = await backend()
    const long = 'a'.repeat(1_000_000)
    expect((await unary(echo(await gateway(port)), long)).answer).toBe(`${long}!`)
  })

  it('[wire:grpc-calls] statuses of the backend are the client’s', async () => {
    const { port } = await backend()
    expect(await unary(echo(await gateway(port)), 'fail')).toMatchObject({ code: 5, details: 'not here' })
  })

  it('[wire:grpc-calls] the status of a message whose length was told comes through', async () => {
    const message = Buffer.from([0, 0, 0, 0, 2, 0x6f, 0x6b])
    const web = await h.http2Backend(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'content-length': message.length }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-sum': '2' }))
      stream.end(message)
    })
    const answer = await unary(echo(await gateway(web.port)), 'hello')
    expect([answer.code, answer.answer, answer.trailers?.get('x-sum')]).toEqual([0, 'ok', ['2']])
  })

  it('[wire:grpc-own-answers] what nothing matches is UNIMPLEMENTED, and what has no backend UNAVAILABLE', async () => {
    const { port } = await backend()
    const fail = { kind: 'fail', backend: 'Service/test/none', reason: 'BackendNotFound', message: '', weight: 1 } as const
    const none = await gateway(port, { match: { path: { kind: 'exact', value: '/other/Method' } } })
    expect((await unary(echo(none), 'x')).code).toBe(12)
    expect((await unary(echo(await gateway(port, { backends: [fail] })), 'x')).code).toBe(14)
    expect((await unary(echo(await gateway(port, { backends: [] })), 'x')).code).toBe(14)
    expect((await unary(echo(await gateway(port, {}, [])), 'x')).code).toBe(14)
    expect((await unary(echo(await gateway(port, {}, [1])), 'x')).code).toBe(14)
    const broken: FilterConfig = { kind: 'fail', filter: 'ExtensionRef', reason: 'none', message: '' }
    expect((await unary(echo(await gateway(port, { filters: [broken] })), 'x')).code).toBe(13)
  })

  it('[wire:grpc-timeout] a deadline is passed on, and ends the call here when the backend says nothing', async () => {
    const { port, deadlines } = await backend()
    const gate = await gateway(port)
    const client = await h.http2(gate)
    const before = Date.now()
    const fields = ['content-type: application/grpc', 'te: trailers', 'grpc-timeout: 150m']
    const message = `\0\0\0\0\x06silent`
    const answer = await client.request({ method: 'POST', target: service.unary.path, fields, body: message })
    expect(answer).toMatchObject({ status: 200, body: '' })
    expect(answer.header('grpc-status')).toBe('4')
    expect(Date.now() - before).toBeLessThan(2_000)
    expect(Number(deadlines[0])).toBeLessThan(before + 1_000)
    expect((await gate.record()).flag).toBe('upstream-timeout')
  })

  it('[wire:grpc-broken] a backend that dies in a stream makes it UNAVAILABLE, never OK', async () => {
    const { port, server } = await backend()
    const client = echo(await gateway(port))
    const chat = client.makeBidiStreamRequest<string, string>(service.chat.path, plain, text)
    const heard: string[] = []
    chat.on('data', (word: string) => heard.push(word))
    chat.on('error', () => {})
    const status = new Promise<number>((resolve) => {
      chat.on('status', ({ code }) => resolve(code))
    })
    chat.write('one')
    await expect.poll(() => heard).toEqual(['one?'])
    server.forceShutdown()
    expect(await status).toBe(14)
  })

  it('[wire:grpc-broken] an answer that ends without a status is reset', async () => {
    const web = await h.http2Backend(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.end('\0\0\0\0\x02ok')
    })
    const outcome = await unary(echo(await gateway(web.port)), 'x')
    expect(outcome.code).not.toBe(0)
  })

  it('[wire:grpc-cancel] a client that cancels cancels the backend’s call', async () => {
    let cancelled = false
    const { port } = await backend({
      chat: ((call: { on(event: string, listener: () => void): void }) => {
        call.on('cancelled', () => {
          cancelled = true
        })
        call.on('data', () => {})
        call.on('error', () => {})
      }) as UntypedServiceImplementation[string],
    })
    const chat = echo(await gateway(port)).makeBidiStreamRequest<string, string>(service.chat.path, plain, text)
    chat.on('error', () => {})
    chat.write('one')
    await new Promise((resolve) => setTimeout(resolve, 100))
    chat.cancel()
    await expect.poll(() => cancelled).toBe(true)
  })

  it('[wire:grpc-quiet] a stream may be quiet for longer than a body may', async () => {
    const { port } = await backend()
    const gate = await h.gateway(
      { pools: { web: [port] }, h2c: ['web'], rules: [{ grpc: true, backends: ['web'] }] },
      { bounds: { bodyIdleTime: 300, upstreamIdleBodyTime: 300, writeStuckTime: 300 } },
    )
    const chat = echo(gate).makeBidiStreamRequest<string, string>(service.chat.path, plain, text)
    const heard: string[] = []
    chat.on('data', (word: string) => heard.push(word))
    chat.on('error', () => {})
    chat.write('one')
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    chat.write('two')
    await expect.poll(() => heard).toEqual(['one?', 'two?'])
    chat.end()
  })
})
