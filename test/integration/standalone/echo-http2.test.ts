import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EchoBackend } from '../../../src/standalone/echo.ts'
import type { EchoAnswer } from '../../../src/standalone/echo.ts'
import { GrpcTextClient } from '../../harness/grpc-text-client.ts'

async function echo(): Promise<EchoBackend> {
  const backend = await EchoBackend.start('app', 'shop')
  onTestFinished(() => backend.close())
  return backend
}

/** One HTTP/2 request by prior knowledge: headers, body and trailers of its answer. */
async function ask(backend: EchoBackend, headers: Record<string, string | string[]>, body: Buffer = Buffer.alloc(0)) {
  const session = connectHttp2(`http://127.0.0.1:${backend.port}`)
  try {
    const stream = session.request(headers)
    let answered: Record<string, unknown> = {}
    let trailers: Record<string, unknown> = {}
    stream.on('response', (fields) => (answered = fields))
    stream.on('trailers', (fields) => (trailers = fields))
    stream.end(body)
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    return { headers: answered, trailers, body: Buffer.concat(chunks) }
  } finally {
    session.destroy()
  }
}

function message(text: string, { compressed = false } = {}): Buffer {
  const bytes = Buffer.from(text)
  const prefix = Buffer.from([compressed ? 1 : 0, 0, 0, 0, 0])
  prefix.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([prefix, bytes])
}

const grpc = { ':method': 'POST', ':path': '/shop.Cart/Add', 'content-type': 'application/grpc' }

describe('the echo backend over HTTP/2', () => {
  it('answers with what arrived, as it does over HTTP/1.1 on the same port', async () => {
    const backend = await echo()
    const sent = { ':method': 'PUT', ':path': '/a%20b?x=1', ':authority': 'shop.example.com', 'x-one': ['a', 'b'] }
    const { headers, body } = await ask(backend, sent, Buffer.alloc(300_000))
    expect(headers).toMatchObject({ ':status': 200, 'content-type': 'application/json' })
    expect(JSON.parse(body.toString())).toEqual({
      service: 'shop',
      namespace: 'app',
      pod: 'shop-echo',
      method: 'PUT',
      path: '/a%20b',
      query: 'x=1',
      protocol: 'HTTP/2.0',
      host: 'shop.example.com',
      headers: { 'x-one': 'a, b' },
      headerList: [
        ['x-one', 'a'],
        ['x-one', 'b'],
      ],
      bodySize: 300_000,
    })
    const again = (await (await fetch(`http://127.0.0.1:${backend.port}/`)).json()) as EchoAnswer
    expect(again.protocol).toBe('HTTP/1.1')
    expect(backend.requests).toBe(2)
  })

  it('takes a request for what it is when its first bytes come one by one', async () => {
    const backend = await echo()
    const socket = connect(backend.port, '127.0.0.1').setNoDelay(true)
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    for (const byte of 'PRI / HTTP/1.1\r\n') {
      socket.write(byte)
      await new Promise(setImmediate)
    }
    socket.end('Host: a\r\n\r\n')
    await once(socket, 'close')
    // PRI is no method that an HTTP/1.1 server knows.
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('ends with a client that says nothing', async () => {
    const socket = connect((await echo()).port, '127.0.0.1')
    socket.resume().end()
    await once(socket, 'close')
    expect(socket.destroyed).toBe(true)
  })
})

describe('a gRPC call to the echo backend', () => {
  const client = async () => {
    const made = new GrpcTextClient(await echo(), 'shop.example.com')
    onTestFinished(() => made.close())
    return made
  }

  it('gets one message that tells what arrived, whatever the method', async () => {
    const { code, text } = await (await client()).call('/shop.Cart/Add', 'x'.repeat(100_000), { 'x-tenant': 'blue' })
    expect(code).toBe(0)
    expect(JSON.parse(text)).toMatchObject({
      service: 'shop',
      namespace: 'app',
      method: 'POST',
      path: '/shop.Cart/Add',
      protocol: 'HTTP/2.0',
      host: 'shop.example.com',
      headers: { 'content-type': 'application/grpc', 'x-tenant': 'blue' },
      bodySize: 100_009,
    })
  })

  it('that streams gets each further message back while it is open', async () => {
    const [first = '', ...rest] = await (await client()).converse('/shop.Cart/Watch', ['one', 'two', 'x'.repeat(200_000)])
    expect(JSON.parse(first)).toMatchObject({ service: 'shop', path: '/shop.Cart/Watch' })
    expect(rest).toEqual(['two', 'x'.repeat(200_000)])
  })

  it('without a message gets one', async () => {
    const { headers, trailers, body } = await ask(await echo(), grpc)
    expect([headers[':status'], headers['content-type'], trailers['grpc-status']]).toEqual([200, 'application/grpc', '0'])
    expect(body.readUInt32BE(1)).toBe(body.length - 5)
  })

  it('gets compressed messages back as they are, with the name of their coding', async () => {
    const second = message(gzipSync('two').toString('latin1'), { compressed: true })
    const { headers, body } = await ask(await echo(), { ...grpc, 'grpc-encoding': 'gzip' }, Buffer.concat([message(''), second]))
    expect(headers['grpc-encoding']).toBe('gzip')
    expect(body.subarray(-second.length).equals(second)).toBe(true)
  })

  it('fails with RESOURCE_EXHAUSTED for a message above 16 MiB', async () => {
    const { trailers } = await ask(await echo(), grpc, Buffer.from([0, 0x01, 0, 0, 1]))
    expect(trailers['grpc-status']).toBe('8')
  })

  it('is not what gRPC-Web makes', async () => {
    const { headers } = await ask(await echo(), { ...grpc, 'content-type': 'application/grpc-web' })
    expect(headers['content-type']).toBe('application/json')
  })
})
