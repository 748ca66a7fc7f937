/** A peer that is slow but steady: it takes some 300 KiB a second, where the kernel would wake a writer only after more than a megabyte. */
import type { Socket } from 'node:net'

const piece = 32 * 1024
const everyTime = 100

export interface Sips {
  /** Takes nothing from now on. */
  stop(): void
  /** Takes everything from now on. */
  gulp(): void
}

/** Whoever listens to the socket's 'data' goes on to get it. */
export function sip(socket: Socket): Sips {
  const wait = (): void => {}
  socket.on('readable', wait)
  const timer = setInterval(() => socket.read(piece), everyTime)
  const stop = (): void => clearInterval(timer)
  socket.once('close', stop)
  return {
    stop,
    gulp() {
      stop()
      socket.off('readable', wait)
      socket.resume()
    },
  }
}
