/** Text past the stream: the same bytes in the same order, and the same events, as through it. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { TextWriter } from '../../../src/proxy/text-writer.ts'
import { createTestAuthority } from '../../harness/certificates.ts'
import { eventually } from '../../harness/eventually.ts'

type Kind = 'tcp' | 'tls'

/** Two ends of a connection; `theirs` does not read yet. */
async function pair(kind: Kind): Promise<{ ours: Socket; theirs: Socket }> {
  const { config, key } = createTestAuthority().issue('a.example')
  const server = kind === 'tcp' ? createServer() : createTlsServer({ cert: config.chain, key: key.reveal() })
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const accepted = once(server, kind === 'tcp' ? 'connection' : 'secureConnection')
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false }
  const ours = kind === 'tcp' ? connect(options) : connectTls(options)
  onTestFinished(() => void ours.destroy())
  const [[theirs]] = (await Promise.all([accepted, once(ours, kind === 'tcp' ? 'connect' : 'secureConnect')])) as [[Socket], unknown]
  onTestFinished(() => void theirs.destroy())
  theirs.on('error', () => {})
  theirs.pause()
  return { ours, theirs }
}

async function textOf(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('latin1')
  for await (const piece of socket) text += String(piece)
  return text
}

const nodeMajor = Number(process.versions.node.split('.')[0])

describe('text for a socket', () => {
  it.runIf(nodeMajor < 26)('goes to the handle at once, with nothing left to the stream', async () => {
    const { ours, theirs } = await pair('tcp')
    const write = vi.spyOn(ours, 'write')
    const writer = new TextWriter(ours)
    writer.write('first ')
    writer.write('second')
    expect({ calls: write.mock.calls.length, unsent: writer.unsent, written: ours.bytesWritten }).toEqual({
      calls: 0,
      unsent: 0,
      written: 12,
    })
    ours.end()
    expect(await textOf(theirs)).toBe('first second')
  })

  it.each<Kind>(['tcp', 'tls'])('arrives whole and in its order between buffers, however slow the reader is (%s)', async (kind) => {
    const { ours, theirs } = await pair(kind)
    const writer = new TextWriter(ours)
    let expected = ''
    for (let i = 0; i < 400; i += 1) {
      const piece = String.fromCharCode(97 + (i % 26)).repeat((i * 7919) % 60_000)
      expected += piece
      if (i % 3 === 0) ours.write(Buffer.from(piece, 'latin1'))
      else writer.write(piece)
    }
    expect(writer.unsent).toBeGreaterThan(1_000_000)
    ours.end()
    expect(await textOf(theirs)).toBe(expected)
    expect(writer.unsent).toBe(0)
  })

  it('is counted while it waits for the reader, and its going is told once', async () => {
    const { ours, theirs } = await pair('tcp')
    const writer = new TextWriter(ours)
    let drains = 0
    ours.on('drain', () => (drains += 1))
    const text = 'x'.repeat(16 * 1024)
    let sent = 0
    for (; writer.unsent < 64 * 1024; sent += text.length) writer.write(text)
    expect(drains).toBe(0)
    let received = 0
    theirs.on('data', (bytes: Buffer) => (received += bytes.length))
    theirs.resume()
    await eventually(() => received === sent && drains > 0, 'all of it')
    expect({ drains, unsent: writer.unsent, received }).toEqual({ drains: 1, unsent: 0, received: sent })
  })

  it('that the peer cannot take any more ends the socket with an error, in a later turn', async () => {
    const { ours, theirs } = await pair('tcp')
    const closed = new Promise((resolve) => ours.once('close', resolve))
    const errors: NodeJS.ErrnoException[] = []
    ours.on('error', (error) => errors.push(error))
    ours.pause()
    const writer = new TextWriter(ours)
    theirs.resetAndDestroy()
    await once(theirs, 'close')
    for (let i = 0; i < 100 && !ours.destroyed; i += 1) {
      writer.write('too late')
      expect(errors).toEqual([])
      await new Promise((resolve) => setImmediate(resolve))
      if (errors.length > 0) break
    }
    await closed
    expect(errors.map(({ syscall, errno }) => ({ syscall, negative: (errno ?? 0) < 0 }))).toEqual([{ syscall: 'write', negative: true }])
  })

  it('is left to the stream before the connection stands and after its end', async () => {
    const server = createServer((socket) => socket.pipe(socket))
    onTestFinished(() => void server.close())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const ours = connect((server.address() as AddressInfo).port, '127.0.0.1')
    onTestFinished(() => void ours.destroy())
    const writer = new TextWriter(ours)
    writer.write('early')
    expect(writer.unsent).toBe(5)
    const [bytes] = (await once(ours, 'data')) as [Buffer]
    expect(bytes.toString()).toBe('early')
    ours.end()
    const failed = once(ours, 'error')
    writer.write('late')
    const [error] = (await failed) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ERR_STREAM_WRITE_AFTER_END')
  })
})
