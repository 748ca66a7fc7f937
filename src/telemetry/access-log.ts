/**
 * The access log: one line for each exchange, as JSON or as text for people.
 *
 * Lines are gathered and written together. A stream that does not take them makes them wait, up to a bound, then they
 * are dropped and counted: the log never holds up a request.
 */
import type { AccessRecord } from './access-record.ts'

export interface AccessLogOptions {
  readonly format: 'text' | 'json'
  readonly stream: LogStream
  /** Milliseconds that a line may wait for others. */
  readonly delay?: number
  /** Characters that may wait for the stream. */
  readonly bound?: number
}

/** What is used of a `Writable`. Not `process.stdout`, whose writes to pipes and files block: open the descriptor as a file stream. */
export interface LogStream {
  write(text: string): boolean
  once(event: 'drain', listener: () => void): unknown
  end(done: () => void): unknown
}

const harmful = /[^\x21\x23-\x5b\x5d-\x7e]/
const allHarmful = new RegExp(harmful, 'g')

/** Written as soon as so much has been gathered. */
const batch = 16 * 1024

export class AccessLog {
  /** Lines that were lost because the stream did not take them. */
  dropped = 0
  readonly #stream: LogStream
  readonly #format: (record: AccessRecord) => string
  readonly #delay: number
  readonly #bound: number
  #gathered = ''
  #blocked = false
  #timer: NodeJS.Timeout | undefined

  constructor({ format, stream, delay = 100, bound = 1024 * 1024 }: AccessLogOptions) {
    this.#stream = stream
    this.#format = format === 'json' ? jsonLine : textLine
    this.#delay = delay
    this.#bound = bound
  }

  /** Never blocks, never throws. */
  readonly record = (record: AccessRecord): void => {
    if (this.#gathered.length > this.#bound) {
      this.dropped += 1
      return
    }
    this.#gathered += this.#format(record)
    if (this.#gathered.length >= batch) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), this.#delay)
  }

  /** Resolves when every line has been given to the system. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#gathered !== '') this.#stream.write(this.#gathered)
    this.#gathered = ''
    await new Promise<void>((resolve) => this.#stream.end(resolve))
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#blocked || this.#gathered === '') return
    const text = this.#gathered
    this.#gathered = ''
    if (this.#stream.write(text)) return
    this.#blocked = true
    this.#stream.once('drain', () => {
      this.#blocked = false
      this.#flush()
    })
  }
}

function jsonLine(record: AccessRecord): string {
  return `${JSON.stringify({ ...record, time: new Date(record.time).toISOString(), duration: round(record.duration) })}\n`
}

/** The beginning is that of the common log format; what follows is named. */
function textLine(record: AccessRecord): string {
  const { client, time, method, target, protocol, status, responseBytes, scheme } = record
  const request = scheme === '' ? protocol : method === '' ? '-' : `${harmless(method)} ${harmless(target)} ${protocol}`
  const begin = `${client} [${new Date(time).toISOString()}] "${request}" ${status} ${responseBytes}`
  const where = field('rule', record.rule) + field('backend', record.backend) + field('upstream', record.upstream)
  const attempts = record.attempts > 1 ? ` attempts=${record.attempts}` : ''
  const grpc = record.grpcStatus === undefined ? '' : ` grpc=${record.grpcStatus}`
  const why = field('flag', record.flag) + field('filter', record.filter)
  const failed = field('failed', record.failed.map((one) => one.replace(' ', '/')).join(','))
  const also = field('session', record.session) + (record.mirrors === 0 ? '' : ` mirrors=${record.mirrors}`)
  return `${begin}${field('host', record.host)} duration=${round(record.duration)}ms${grpc}${why}${where}${attempts}${failed}${also}${field('id', record.requestId)}\n`
}

function field(name: string, value: string): string {
  return value === '' ? '' : ` ${name}=${harmless(value)}`
}

/** What a client wrote cannot end a line or a quoted field, or steer a terminal. */
function harmless(text: string): string {
  return harmful.test(text) ? text.replace(allHarmful, escaped) : text
}

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
