/** The proxy's connection to one controller: kept up for as long as the controller is wanted, with growing pauses between attempts. */
import { connect, type TLSSocket } from 'node:tls'
import { hostPort } from '../lib/host-port.ts'
import type { Secret } from '../lib/secret.ts'
import type { Logger } from '../telemetry/logger.ts'
import { MessageSocket } from './message-socket.ts'
import { controllerName, type FromController, fromController, type FromProxy, longestMessage } from './messages.ts'

/** PEM; read anew for each connection, since they are renewed. */
export interface ProxyCredentials {
  readonly certificate: string
  readonly key: Secret
  readonly authority: string
}

export interface StreamClientOptions {
  readonly address: string
  readonly port: number
  readonly credentials: () => ProxyCredentials
  readonly logger: Logger
  /** From 0 up to 1. */
  readonly random: () => number
  readonly onUp: () => void
  readonly onMessage: (message: FromController) => void
  /** After `onUp`, once for each connection. */
  readonly onDown: () => void
}

/** Milliseconds. */
const firstPause = 200
const longestPause = 5_000
const connectTime = 10_000

export class StreamClient {
  readonly peer: string
  readonly #options: StreamClientOptions
  #socket: TLSSocket | undefined
  #messages: MessageSocket | undefined
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #stopped = false

  constructor(options: StreamClientOptions) {
    this.#options = options
    this.peer = hostPort(options.address, options.port)
  }

  start(): void {
    this.#connect()
  }

  send(message: FromProxy): void {
    this.#messages?.send(message)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#messages?.close('not wanted any more')
    this.#socket?.destroy()
  }

  #connect(): void {
    const { address, port, credentials } = this.#options
    let socket: TLSSocket
    try {
      const { certificate, key, authority } = credentials()
      socket = connect({
        host: address,
        port,
        servername: controllerName,
        cert: certificate,
        key: key.reveal(),
        ca: authority,
        minVersion: 'TLSv1.3',
        timeout: connectTime,
      })
    } catch (error) {
      return this.#again((error as Error).message)
    }
    this.#socket = socket
    let reason = 'closed'
    const failed = (): void => this.#again(reason)
    socket.once('error', (error) => (reason = error.message))
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${connectTime} ms`)))
    socket.once('close', failed)
    socket.once('secureConnect', () => {
      socket.setTimeout(0)
      socket.off('close', failed)
      this.#up(socket)
    })
  }

  #up(socket: TLSSocket): void {
    const { onUp, onMessage, onDown, logger } = this.#options
    this.#messages = new MessageSocket(
      socket,
      {
        onMessage: (message) => {
          // Only a controller that speaks counts: one that refuses the certificate closes after the handshake.
          this.#failures = 0
          const known = fromController(message)
          if (known !== undefined) onMessage(known)
        },
        onEnd: (reason) => {
          this.#messages = undefined
          onDown()
          this.#again(reason)
        },
      },
      longestMessage,
    )
    logger.info('connected to a controller', { controller: this.peer })
    onUp()
  }

  #again(reason: string): void {
    if (this.#stopped) return
    const { logger, random } = this.#options
    const pause = Math.min(longestPause, firstPause * 2 ** this.#failures) * (0.5 + random() / 2)
    if (this.#failures === 0)
      logger.warn('no connection to a controller; what was served last is served on', { controller: this.peer, reason })
    this.#failures += 1
    this.#timer = setTimeout(() => this.#connect(), pause)
  }
}
