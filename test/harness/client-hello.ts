/** First bytes of real TLS clients. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** What a client sends first. */
export async function helloOf(options: { servername?: string; ALPNProtocols?: string[] }): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connectTls({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ...options })
  client.on('error', () => {})
  const [socket] = await once(server, 'connection')
  const [bytes] = await once(socket, 'data')
  client.destroy()
  socket.destroy()
  server.close()
  return bytes as Buffer
}

/** A relay to a port of this machine that sends each client's first flight one byte at a time. It serves one client. */
export async function byteByByteRelay(target: number): Promise<{ readonly port: number; close(): void }> {
  const server = createServer()
  const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true })
  upstream.on('error', () => server.close())
  server.once('connection', (socket) => {
    socket.on('error', () => upstream.destroy())
    socket.once('data', (first: Buffer) => {
      const sendFrom = (at: number): void => {
        if (at === first.length) {
          socket.pipe(upstream).pipe(socket)
          return
        }
        upstream.write(first.subarray(at, at + 1))
        setImmediate(sendFrom, at + 1)
      }
      sendFrom(0)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      upstream.destroy()
      server.close()
    },
  }
}
