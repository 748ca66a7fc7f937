/** That Node's private parts are as byte-socket.ts expects them: else everything works, slower, and nobody notices. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { AdoptedSocket, breakOff, createSocketBuffers, startReading } from '../../../src/proxy/byte-socket.ts'
import { Outlet } from '../../../src/proxy/outlet.ts'
import { createTestAuthority } from '../../harness/certificates.ts'

describe.skipIf(process.platform === 'win32')('a socket that was accepted', () => {
  it.each(['tcp', 'tls'] as const)('reads into the shared buffer (%s)', async (kind) => {
    const { read } = createSocketBuffers()
    const received = new Promise<{ text: string; shared: boolean }>((resolve) => {
      const accept = (accepted: Socket): void => {
        const handler = { onBytes: (bytes: Buffer) => resolve({ text: bytes.toString(), shared: bytes.buffer === read.bytes.buffer }) }
        const adopted = new AdoptedSocket(accepted, read)
        adopted.handler = handler
        const { socket } = adopted
        onTestFinished(() => void socket.destroy())
        startReading(socket)
      }
      const { config, key } = createTestAuthority().issue('a.example')
      const options = { pauseOnConnect: true, cert: config.chain, key: key.reveal() }
      const server = kind === 'tcp' ? createServer(options, accept) : createTlsServer(options, accept)
      onTestFinished(() => void server.close())
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo
        const client = kind === 'tcp' ? connect(port, '127.0.0.1') : connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
        onTestFinished(() => void client.destroy())
        void once(client, kind === 'tcp' ? 'connect' : 'secureConnect').then(() => client.write('hello'))
      })
    })
    expect(await received).toEqual({ text: 'hello', shared: true })
  })

  it('closes when it is broken off while its FIN waits for bytes that the kernel does not take', async () => {
    const server = createServer({ allowHalfOpen: true })
    onTestFinished(() => void server.close())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
    onTestFinished(() => void client.destroy())
    client.on('error', () => {})
    const [socket] = (await once(server, 'connection')) as [Socket]
    const { write } = createSocketBuffers()
    const outlet = new Outlet(socket, write, 64 * 1024)
    while (!outlet.blocked) {
      outlet.text('x'.repeat(4 * 1024))
      outlet.flush()
    }
    socket.end()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const closed = once(socket, 'close')
    breakOff(socket)
    await closed
  })
})
