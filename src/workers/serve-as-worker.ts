/**
 * A worker process: a data plane that does what the main process says. It ends when that asks for it, or is no more;
 * signals, which a terminal or a supervisor sends to both, are the main process's matter.
 */
import type { Socket } from 'node:net'
import { DataPlane } from '../proxy/data-plane.ts'
import { dataPlaneMetrics } from '../proxy/metrics.ts'
import type { ApplyReport } from '../proxy/apply-report.ts'
import { AccessLog } from '../telemetry/access-log.ts'
import type { Logger, LogFields } from '../telemetry/logger.ts'
import { collect } from '../telemetry/many-processes.ts'
import { processMetrics } from '../telemetry/process-metrics.ts'
import { type Delivered, placementFrom, withMessage } from './config-message.ts'
import { HandedSockets } from './handed-sockets.ts'
import type { Answers, ConfigMessage, FromWorker, Results, ToWorker } from './messages.ts'
import { SentLines } from './sent-lines.ts'
import { optionsOf, type WorkerSettings } from './settings.ts'

/** Milliseconds between looks at how many connections there are. */
const loadInterval = 100

/** @param version of the program, for its metrics */
export function serveAsWorker(version: string): void {
  // Without the main process nobody could end this one.
  process.on('disconnect', () => process.exit(0))
  process.on('SIGTERM', ignore)
  process.on('SIGINT', ignore)
  let worker: ServingWorker | undefined
  process.on('message', (message, connection) => {
    const asked = message as ToWorker
    if (asked.kind === 'start') worker = new ServingWorker(asked.settings, version)
    // Of what can be sent along, the main process sends connections.
    else worker?.receive(asked, connection as Socket | undefined)
  })
}

class ServingWorker {
  readonly #plane: DataPlane
  readonly #sockets = new HandedSockets(send)
  readonly #lines = new SentLines((text) => send({ kind: 'lines', text }))
  readonly #accessLog: AccessLog | undefined
  readonly #version: string
  #delivered: Delivered = new Map()
  #told = ''

  constructor(settings: WorkerSettings, version: string) {
    const { accessLog } = settings
    this.#version = version
    this.#accessLog = accessLog === 'off' ? undefined : new AccessLog({ format: accessLog, stream: this.#lines })
    this.#plane = new DataPlane({
      ...optionsOf(settings),
      logger: sendingLogger,
      listen: this.#sockets.listen,
      ...(this.#accessLog !== undefined && { accessLog: this.#accessLog.record }),
      onReport: (report) => send({ kind: 'report', results: resultsOf(report) }),
    })
    setInterval(() => this.#tellLoad(), loadInterval).unref()
  }

  receive(message: Exclude<ToWorker, { readonly kind: 'start' }>, connection: Socket | undefined): void {
    switch (message.kind) {
      case 'config':
        void this.#serve(message)
        return
      case 'connection':
        return this.#sockets.take(message.id, connection)
      case 'listening':
        return this.#sockets.listening(message.id, message.port)
      case 'not-listening':
        return this.#sockets.notListening(message.id, message.reason)
      case 'closed':
        return this.#sockets.closed(message.id)
      case 'accept-failed':
        return this.#sockets.acceptFailed(message.id, message.reason)
      case 'ask':
        return send({ kind: 'answer', number: message.number, answer: this.#answer(message.for) })
      case 'lines-taken':
        return this.#lines.taken()
      case 'ping':
        return send({ kind: 'pong' })
      case 'drain':
        void this.#drain(message.milliseconds)
    }
  }

  async #serve(message: ConfigMessage): Promise<void> {
    const { number } = message
    // A message that does not fit would be a mistake of the program: it ends this process, and the next one gets everything.
    this.#delivered = withMessage(this.#delivered, message)
    const resources = [...this.#delivered.values()]
    const keys = new Map(resources.flatMap((one) => [...one.keys]))
    try {
      const report = await this.#plane.apply(
        resources.map(({ config }) => config),
        keys,
        placementFrom(message.places),
      )
      send({ kind: 'serves', number, results: resultsOf(report) })
    } catch (error) {
      send({ kind: 'cannot-serve', number, reason: (error as Error).message })
    }
  }

  #answer(question: keyof Answers): Answers[keyof Answers] {
    switch (question) {
      case 'metrics':
        return collect([...dataPlaneMetrics(this.#plane), ...processMetrics(this.#version)])
      case 'pools':
        return this.#plane.pools
    }
  }

  #tellLoad(): void {
    const { received } = this.#sockets
    const open = this.#plane.ports.reduce((sum, port) => sum + port.open, 0)
    const told = `${received} ${open}`
    if (told === this.#told) return
    this.#told = told
    send({ kind: 'load', received, open })
  }

  async #drain(milliseconds: number): Promise<void> {
    await this.#plane.drain(milliseconds)
    await this.#accessLog?.close()
    process.disconnect()
  }
}

const sendingLogger: Logger = {
  debug: (message, fields) => log('debug', message, fields),
  info: (message, fields) => log('info', message, fields),
  warn: (message, fields) => log('warn', message, fields),
  error: (message, fields) => log('error', message, fields),
}

function log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: LogFields = {}): void {
  send({ kind: 'log', level, message, fields })
}

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, {}, ignore)
}

function resultsOf(report: ApplyReport): Results {
  return [...report]
}

function ignore(): void {}
