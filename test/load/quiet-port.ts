import { createServer } from 'node:net'

/**
 * A free port below those that systems give to outgoing connections: one that a listener leaves for a while is still
 * free when it comes back.
 */
export async function quietPort(address = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = 18_000 + Math.floor(Math.random() * 10_000)
    const server = createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, address, () => resolve(true))
    })
    if (!free) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}
