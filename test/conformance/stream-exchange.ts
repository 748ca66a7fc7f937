/** One connection, or one datagram, through the data plane: who answers. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'

/** Milliseconds; datagrams to nobody are never answered. */
const patience = 2_000

/** What was answered to a byte; '' when the connection ended without a word. */
export async function askStream(protocol: 'TCP' | 'UDP', port: number): Promise<string> {
  return protocol === 'UDP' ? askByDatagram(port) : askByConnection(port)
}

async function askByConnection(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let said = ''
  socket.on('data', (bytes: Buffer) => (said += bytes.toString()))
  socket.on('error', () => socket.destroy())
  socket.write('x')
  await once(socket, 'close')
  return said
}

async function askByDatagram(port: number): Promise<string> {
  const socket = createSocket('udp4')
  try {
    socket.send('x', port, '127.0.0.1')
    const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(patience) })) as [Buffer]
    return answer.toString()
  } catch {
    return ''
  } finally {
    socket.close()
  }
}
