/** A program of Kubernetes that runs until it is stopped. One that ends by itself ends the cluster: nothing would work any more. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { openSync } from 'node:fs'

export class Component {
  readonly name: string
  readonly #program: string
  readonly #args: readonly string[]
  readonly #log: number
  readonly #onEnd: (what: string) => void
  #process: ChildProcess | undefined

  /** `onEnd` is called when it ends although nobody stopped it. */
  constructor(name: string, program: string, args: readonly string[], logFile: string, onEnd: (what: string) => void) {
    this.name = name
    this.#program = program
    this.#args = args
    this.#log = openSync(logFile, 'a')
    this.#onEnd = onEnd
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  start(): void {
    if (this.#process !== undefined) return
    const child = spawn(this.#program, this.#args, { stdio: ['ignore', this.#log, this.#log] })
    this.#process = child
    child.on('error', (error) => this.#onEnd(`${this.name} cannot be run: ${error.message}`))
    child.on('exit', (code, signal) => {
      if (this.#process === child) this.#onEnd(`${this.name} ended with ${code ?? signal}`)
    })
  }

  /** SIGKILL: what it has not written is gone, as when a machine fails. */
  async stop(): Promise<void> {
    const child = this.#process
    if (child === undefined) return
    this.#process = undefined
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }
}
