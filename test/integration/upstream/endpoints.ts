/** Endpoints that are not there, or not always. */
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'

/** A port where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A backend on a port that was free a moment ago. It counts what it is asked. */
export class Endpoint {
  requests = 0
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      this.requests += 1
      request.resume()
      response.end('back')
    })
  }

  static listen(port: number): Promise<Endpoint> {
    const endpoint = new Endpoint()
    return new Promise((resolve, reject) => {
      endpoint.#server.once('error', reject)
      endpoint.#server.listen(port, '127.0.0.1', () => resolve(endpoint))
    })
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}
