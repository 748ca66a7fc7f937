/** A pod of the suite behind a TCPRoute or a UDPRoute: says its name to whoever sends anything, by TCP and by UDP. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { ContainerPorts } from './echo-pod.ts'

/** Of the suite's containers. */
const tcpPort = 3000
const udpPort = 8080

export interface StreamPod {
  readonly ports: ContainerPorts
  readonly datagramPorts: ContainerPorts
  readonly paths: readonly string[]
  close(): Promise<void>
}

export async function startStreamPod(name: string): Promise<StreamPod> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.once('data', () => socket.end(name))
  }).listen(0, '127.0.0.1')
  const datagrams = createSocket('udp4')
  datagrams.on('message', (_datagram, { address, port }) => datagrams.send(name, port, address))
  datagrams.bind(0, '127.0.0.1')
  await Promise.all([once(server, 'listening'), once(datagrams, 'listening')])
  return {
    ports: new Map([[tcpPort, (server.address() as AddressInfo).port]]),
    datagramPorts: new Map([[udpPort, datagrams.address().port]]),
    paths: [],
    close: async () => {
      datagrams.close()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
