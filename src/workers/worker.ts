/** One worker as the main process sees it, from its start to its end: a process is never started twice, see `Workers`. */
import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Placement } from '../config/placement.ts'
import { tcpBinding, type TcpHandle } from '../proxy/tcp-handle.ts'
import type { CollectedFamily } from '../telemetry/many-processes.ts'
import type { SharedSocket, Taker, Wish } from './acceptor.ts'
import { configMessage, type Delivered } from './config-message.ts'
import type { Answers, FromWorker, Results, ToWorker } from './messages.ts'
import type { WorkerSettings } from './settings.ts'

export interface WorkerEvents {
  readonly listen: (worker: Worker, wish: Wish) => void
  readonly close: (worker: Worker, id: number) => void
  readonly reported: (worker: Worker) => void
  readonly log: (worker: Worker, line: Extract<FromWorker, { readonly kind: 'log' }>) => void
  /** @param taken to be called when the next lines may come */
  readonly lines: (text: string, taken: () => void) => void
  /** Once; `how` in words for the log. */
  readonly ended: (worker: Worker, how: string) => void
}

export interface WorkerProgram {
  /** The file to run, which calls `serveAsWorker`. */
  readonly entry: string
  /** Milliseconds between looks whether it is stuck. */
  readonly pingTime: number
}

interface HandedConnection {
  readonly socket: SharedSocket
  readonly connection: Socket
  /** Node takes it out of the connection to send it. */
  readonly handle: TcpHandle | undefined
}

/** What `net.Socket` keeps for itself. */
interface SocketInternals {
  readonly _handle?: unknown
}

/** Connections on their way. It takes them in microseconds unless it is busy with something that is none. */
const mostUndelivered = 1_024
/** Pings without an answer before a worker counts as stuck. */
const mostPings = 6
/** Milliseconds for an answer, after which the last one must do. */
const answerTime = 2_000

export class Worker implements Taker {
  /** From 1; the same for the one that takes its place. */
  readonly number: number
  isGone = false
  /** What became of the last configuration; undefined before the first. */
  results: Results | undefined
  /** What it had counted when it was asked last. */
  metrics: readonly CollectedFamily[] = []
  readonly #events: WorkerEvents
  readonly #process: ChildProcess
  readonly #pings: NodeJS.Timeout
  #unanswered = 0
  #delivered: Delivered = new Map()
  #last = 0
  readonly #answers = new Map<number, (answer: FromWorker | undefined) => void>()
  /** In the order in which they were handed over. */
  #undelivered: HandedConnection[] = []
  #received = 0
  #open = 0

  constructor(number: number, { entry, pingTime }: WorkerProgram, settings: WorkerSettings, events: WorkerEvents) {
    this.number = number
    this.#events = events
    this.#process = fork(entry, [String(number)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    // One for each socket that listens: Node has it tell whether connections are open there.
    this.#process.setMaxListeners(0)
    this.#process.on('message', (message) => this.#receive(message as FromWorker))
    this.#process.on('error', (error) => this.#end(error.message))
    // Not `exit`: after this one nothing comes out of the channel any more, so it is known what the process has taken.
    this.#process.on('close', (code, signal) => this.#end(signal ?? `exit status ${code}`))
    this.#pings = setInterval(() => this.#ping(), pingTime).unref()
    this.send({ kind: 'start', settings })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  get load(): number {
    return this.#open + this.#undelivered.length
  }

  get isFull(): boolean {
    return this.#undelivered.length >= mostUndelivered
  }

  send(message: ToWorker): void {
    // What cannot be sent any more is answered by the end of the process.
    if (this.#process.connected) this.#process.send(message, ignore)
  }

  hand(id: number, connection: Socket, socket: SharedSocket): void {
    this.#undelivered.push({ socket, connection, handle: handleOf(connection) })
    if (this.#process.connected) this.#process.send({ kind: 'connection', id } satisfies ToWorker, connection, {}, ignore)
  }

  /** What it was to get and has not got; to be called when it has ended. One that is between both processes is lost with the worker. */
  *undelivered(): Generator<readonly [SharedSocket, Socket]> {
    for (const { socket, connection, handle } of this.#undelivered.splice(0)) {
      // One that was given away has no address any more. Node closes it when the process confirms it, and else never.
      if (connection.localPort === undefined) handle?.close(ignore)
      else yield [socket, connection]
    }
  }

  /** Resolves when it serves this, or has ended. Rejects when it cannot apply it, which is a mistake of the program. */
  async serve(config: Delivered, placement: Placement): Promise<void> {
    const before = this.#delivered
    this.#delivered = config
    const answer = await this.#request((number) => configMessage(before, config, placement, number))
    if (answer?.kind === 'cannot-serve') throw new Error(answer.reason)
    if (answer?.kind === 'serves') this.results = answer.results
  }

  /** Undefined when it has ended, or takes too long. */
  async ask<Q extends keyof Answers>(question: Q): Promise<Answers[Q] | undefined> {
    const asked = this.#request((number) => ({ kind: 'ask', number, for: question }))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), answerTime)
    })
    const answer = await Promise.race([asked, late])
    clearTimeout(timer)
    // Who asks for metrics is answered with metrics.
    return answer?.kind === 'answer' ? (answer.answer as Answers[Q]) : undefined
  }

  /** At once. */
  kill(): void {
    this.#process.kill('SIGKILL')
  }

  #request(make: (number: number) => ToWorker): Promise<FromWorker | undefined> {
    this.#last += 1
    const number = this.#last
    return new Promise((resolve) => {
      if (this.isGone) {
        resolve(undefined)
        return
      }
      this.#answers.set(number, resolve)
      this.send(make(number))
    })
  }

  #receive(message: FromWorker): void {
    const { listen, close, reported, log, lines } = this.#events
    switch (message.kind) {
      case 'serves':
      case 'cannot-serve':
      case 'answer':
        this.#answers.get(message.number)?.(message)
        this.#answers.delete(message.number)
        return
      case 'report':
        this.results = message.results
        return reported(this)
      case 'listen':
        return listen(this, message)
      case 'close':
        return close(this, message.id)
      case 'load':
        this.#undelivered.splice(0, message.received - this.#received)
        this.#received = message.received
        this.#open = message.open
        return
      case 'log':
        return log(this, message)
      case 'lines':
        return lines(message.text, () => this.send({ kind: 'lines-taken' }))
      case 'pong':
        this.#unanswered = 0
    }
  }

  /** Pings are counted, not their time: a machine that slept has sent none. */
  #ping(): void {
    if (this.#unanswered >= mostPings) {
      this.kill()
      return
    }
    this.#unanswered += 1
    this.send({ kind: 'ping' })
  }

  #end(how: string): void {
    if (this.isGone) return
    this.isGone = true
    clearInterval(this.#pings)
    for (const answer of this.#answers.values()) answer(undefined)
    this.#answers.clear()
    this.#events.ended(this, how)
  }
}

function handleOf(connection: Socket): TcpHandle | undefined {
  const { _handle: handle } = connection as SocketInternals
  return tcpBinding?.isHandle(handle) === true ? handle : undefined
}

function ignore(): void {}
