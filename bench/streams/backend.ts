/** What is behind the proxies: echoes bytes, echoes once and ends, echoes datagrams. Run as a process of its own. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { backendPorts } from './workload.ts'

createServer({ noDelay: true }, (socket) => {
  socket.on('data', (bytes: Buffer) => {
    if (!socket.write(bytes)) socket.pause()
  })
  socket.on('drain', () => socket.resume())
  socket.on('error', () => socket.destroy())
}).listen(backendPorts.echo, '127.0.0.1', 4096)

// Who closes first waits with the port (TIME_WAIT): here that is no client's.
createServer({ noDelay: true }, (socket) => {
  socket.once('data', (bytes: Buffer) => socket.end(bytes))
  socket.on('error', () => socket.destroy())
}).listen(backendPorts.once, '127.0.0.1', 4096)

const datagrams = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024, sendBufferSize: 4 * 1024 * 1024 })
datagrams.on('message', (datagram, { port, address }) => datagrams.send(datagram, port, address))
datagrams.bind(backendPorts.udp, '127.0.0.1')
