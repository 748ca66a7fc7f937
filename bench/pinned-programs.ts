/** The programs of a measurement, each pinned to a core, with what they say in a file of the folder; they end together. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export const proxyCore = '0'
export const loadCore = '1'

export class PinnedPrograms {
  readonly #folder: string
  readonly #processes: ChildProcess[] = []

  constructor(folder: string) {
    this.#folder = folder
  }

  start(name: string, core: string, command: string, args: readonly string[]): ChildProcess {
    if (!existsSync(command)) throw new Error(`Cannot start ${name}: ${command} must exist`)
    const log = openSync(join(this.#folder, `${name}.out`), 'a')
    const child = spawn('taskset', ['-c', core, command, ...args], { stdio: ['ignore', log, log] })
    this.#processes.push(child)
    return child
  }

  async stop(): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGTERM')
      await Promise.race([once(child, 'exit'), delay(3000).then(() => child.kill('SIGKILL'))])
    }
  }
}

/** Rejects when nothing takes connections within ten seconds. */
export async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (open) return
    await delay(100)
  }
  throw new Error(`Cannot measure: something must listen on 127.0.0.1:${port} within 10 s`)
}
