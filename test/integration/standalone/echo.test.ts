import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { EchoBackend } from '../../../src/standalone/echo.ts'
import type { EchoAnswer } from '../../../src/standalone/echo.ts'

const open: EchoBackend[] = []

async function echo(): Promise<EchoBackend> {
  const backend = await EchoBackend.start('app', 'shop')
  open.push(backend)
  return backend
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((backend) => backend.close()))
})

function ask(
  port: number,
  options: { method?: string; path?: string; headers?: string[] },
  body?: Buffer,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, agent: false, ...options }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

describe('the echo backend', () => {
  it('answers with its Service and what arrived', async () => {
    const backend = await echo()
    const headers = ['Host', 'shop.example.com', 'X-One', 'a', 'x-one', 'b', 'Content-Length', '70000']
    const { status, text } = await ask(backend.port, { method: 'PUT', path: '/a%20b?x=1&x=2', headers }, Buffer.alloc(70_000))
    expect(status).toBe(200)
    const answer = JSON.parse(text) as EchoAnswer
    expect(answer).toMatchObject({
      service: 'shop',
      namespace: 'app',
      pod: 'shop-echo',
      method: 'PUT',
      path: '/a%20b',
      query: 'x=1&x=2',
      protocol: 'HTTP/1.1',
      host: 'shop.example.com',
      headers: { host: 'shop.example.com', 'x-one': 'a, b' },
      bodySize: 70_000,
    })
    expect(answer.headerList).toContainEqual(['X-One', 'a'])
    expect(answer.headerList).toContainEqual(['x-one', 'b'])
  })

  it('takes header names that objects inherit for what they are', async () => {
    const backend = await echo()
    const { text } = await ask(backend.port, { headers: ['Host', 'a', '__proto__', 'x', 'constructor', 'y'] })
    expect(text).toContain('"__proto__":"x"')
    expect(text).toContain('"constructor":"y"')
  })

  it('answers HEAD without a body and counts every request', async () => {
    const backend = await echo()
    expect(await ask(backend.port, { method: 'HEAD' })).toEqual({ status: 200, text: '' })
    await ask(backend.port, {})
    expect(backend.requests).toBe(2)
  })
})

/** A WebSocket by hand: frames are sent masked, answers are read raw. */
class Client {
  readonly socket: Socket
  #bytes = Buffer.alloc(0)
  #ended = false
  #wake: () => void = () => undefined

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('error', () => undefined)
    this.socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake()
    })
    this.socket.on('close', () => {
      this.#ended = true
      this.#wake()
    })
  }

  async bytes(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) {
      if (this.#ended) throw new Error(`the connection ended after ${this.#bytes.length} of ${count} bytes`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const taken = this.#bytes.subarray(0, count)
    this.#bytes = this.#bytes.subarray(count)
    return taken
  }

  async head(): Promise<string> {
    let text = ''
    while (!text.endsWith('\r\n\r\n')) text += (await this.bytes(1)).toString('latin1')
    return text
  }

  async frame(): Promise<{ first: number; payload: Buffer }> {
    const [first = 0, short = 0] = await this.bytes(2)
    const size =
      short === 126 ? (await this.bytes(2)).readUInt16BE() : short === 127 ? Number((await this.bytes(8)).readBigUInt64BE()) : short
    return { first, payload: await this.bytes(size) }
  }
}

function masked(first: number, payload: Buffer): Buffer {
  const mask = randomBytes(4)
  const size =
    payload.length < 126
      ? Buffer.from([0x80 | payload.length])
      : payload.length < 65_536
        ? Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 0xff])
        : Buffer.from([0x80 | 127, 0, 0, 0, 0, ...Buffer.from(Uint32Array.of(payload.length).buffer).reverse()])
  return Buffer.concat([Buffer.from([first]), size, mask, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))])
}

async function upgraded(extra: Buffer = Buffer.alloc(0)): Promise<Client> {
  const client = new Client((await echo()).port)
  const key = randomBytes(16).toString('base64')
  const head = `GET /chat HTTP/1.1\r\nHost: ws.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
  client.socket.write(Buffer.concat([Buffer.from(head), extra]))
  const answer = await client.head()
  expect(answer).toMatch(/^HTTP\/1\.1 101 /)
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  expect(answer).toContain(`Sec-WebSocket-Accept: ${accept}\r\n`)
  const greeting = await client.frame()
  expect(JSON.parse(greeting.payload.toString())).toMatchObject({ service: 'shop', path: '/chat', host: 'ws.example.com' })
  return client
}

describe('a WebSocket to the echo backend', () => {
  it('gets each message back as it was sent, of any size and split anywhere', async () => {
    const client = await upgraded()
    for (const size of [0, 5, 125, 126, 65_535, 65_536, 300_000]) {
      const message = randomBytes(size)
      const bytes = masked(0x82, message)
      const cut = Math.floor(bytes.length / 3)
      client.socket.write(bytes.subarray(0, cut))
      await new Promise(setImmediate)
      client.socket.write(bytes.subarray(cut))
      const { first, payload } = await client.frame()
      expect([first, payload.length, payload.equals(message)]).toEqual([0x82, size, true])
    }
  })

  it('gets fragments, pings and a close answered in their order, those that came with the request too', async () => {
    const client = await upgraded(masked(0x01, Buffer.from('first ')))
    client.socket.write(
      Buffer.concat([
        masked(0x89, Buffer.from('are you there')),
        masked(0x8a, Buffer.alloc(0)),
        masked(0x80, Buffer.from('last')),
        masked(0x88, Buffer.from([0x03, 0xe8])),
      ]),
    )
    expect(await client.frame()).toEqual({ first: 0x01, payload: Buffer.from('first ') })
    expect(await client.frame()).toEqual({ first: 0x8a, payload: Buffer.from('are you there') })
    expect(await client.frame()).toEqual({ first: 0x80, payload: Buffer.from('last') })
    expect(await client.frame()).toEqual({ first: 0x88, payload: Buffer.from([0x03, 0xe8]) })
    await expect(client.bytes(1)).rejects.toThrow('the connection ended')
  })

  it.each([
    ['a frame without mask', Buffer.from([0x81, 0x00]), 1002],
    ['a reserved bit', masked(0xc1, Buffer.alloc(0)), 1002],
    ['an unknown opcode', masked(0x83, Buffer.alloc(0)), 1002],
    ['a fragmented ping', masked(0x09, Buffer.alloc(0)), 1002],
    ['a long ping', masked(0x89, Buffer.alloc(126)), 1002],
    ['a frame without end', Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), 1009],
  ])('is closed for %s', async (_, bytes, status) => {
    const client = await upgraded()
    client.socket.write(bytes)
    expect(await client.frame()).toEqual({ first: 0x88, payload: Buffer.from([status >> 8, status & 0xff]) })
  })

  it('is refused as any other upgrade is', async () => {
    const client = new Client((await echo()).port)
    client.socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: something\r\n\r\n')
    expect(await client.head()).toMatch(/^HTTP\/1\.1 501 /)
  })
})
