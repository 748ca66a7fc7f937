/**
 * The endpoints of `bench/failover.ts`, a process of their own: for each of two sets four servers on loopback addresses
 * and one port, the first of which is unwell when it is told so. A set's port is below those that the system hands out,
 * so that nobody takes it meanwhile. Run with an IPC channel: takes `{ well }`, sends 'ready' once all of them listen.
 */
import { createServer, type Server } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'

/** How an endpoint is unwell: nobody listens and what was open is gone, or whoever connects is reset. */
export const ailments = ['refuses', 'resets'] as const
export type Ailment = (typeof ailments)[number]

export const addresses = ['127.0.0.11', '127.0.0.12', '127.0.0.13', '127.0.0.14'] as const
export const portOf: Readonly<Record<Ailment, number>> = { refuses: 19_311, resets: 19_312 }

/** What the bench tells this process. */
export interface Order {
  readonly well: boolean
}

class Patient {
  readonly #ailment: Ailment
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #rude: ReturnType<typeof createTcpServer> | undefined

  constructor(ailment: Ailment) {
    this.#ailment = ailment
  }

  async setWell(well: boolean): Promise<void> {
    this.#server?.close()
    this.#rude?.close()
    for (const socket of this.#sockets) socket.resetAndDestroy()
    this.#server = undefined
    this.#rude = undefined
    if (well) {
      this.#server = answering()
      this.#server.on('connection', (socket: Socket) => {
        this.#sockets.add(socket)
        socket.once('close', () => this.#sockets.delete(socket))
      })
      await listening(this.#server, addresses[0], portOf[this.#ailment])
    } else if (this.#ailment === 'resets') {
      this.#rude = createTcpServer((socket) => socket.resetAndDestroy())
      await listening(this.#rude, addresses[0], portOf[this.#ailment])
    }
  }
}

function answering(): Server {
  const server = createServer((request, response) => {
    request.resume()
    response.end('ok')
  })
  server.keepAliveTimeout = 60_000
  return server
}

function listening(server: Server | ReturnType<typeof createTcpServer>, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, resolve)
  })
}

async function main(): Promise<void> {
  const patients = ailments.map((ailment) => new Patient(ailment))
  for (const ailment of ailments) for (const address of addresses.slice(1)) await listening(answering(), address, portOf[ailment])
  await Promise.all(patients.map((patient) => patient.setWell(true)))
  process.on('message', (order: Order) => void Promise.all(patients.map((patient) => patient.setWell(order.well))))
  process.on('disconnect', () => process.exit(0))
  process.send?.('ready')
}

if (process.send !== undefined) await main()
