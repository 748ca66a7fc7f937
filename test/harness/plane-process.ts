/** A data plane in a process of its own: one that hangs, or has no file descriptors left, fails its test and harms no other. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import type { GatewayConfig } from '../../src/config/config.ts'
import { builtCommand } from './command-build.ts'

export interface PlaneProcess {
  readonly child: ChildProcess
  /** Where the first listener listens. */
  readonly port: number
}

const beginning = `
const { DataPlane } = await import(process.argv[1])
const nothing = () => {}
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
let plane
`
const end = `
plane ??= new DataPlane({ logger })
const report = await plane.apply([JSON.parse(process.argv[2])], new Map(), () => ({ address: '127.0.0.1', port: 0 }))
await afterwards?.()
process.send([...report.values()][0].ports[0].listenPort)
`

/**
 * Ends with the test.
 * @param script a module's statements that may set `plane` (from `DataPlane` and `logger`), and must set `afterwards` to a function or undefined
 * @param prefix a command that runs the process
 */
export async function startPlaneProcess(config: GatewayConfig, script: string, prefix: readonly string[] = []): Promise<PlaneProcess> {
  const dataPlane = new URL('../proxy/data-plane.js', `file://${builtCommand()}`).href
  const args = ['--input-type=module', '--eval', beginning + script + end, '--', dataPlane, JSON.stringify(config)]
  const [program = process.execPath, ...rest] = [...prefix, process.execPath, ...args]
  const child = spawn(program, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const exit = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exit
  })
  const [port] = (await Promise.race([
    once(child, 'message'),
    exit.then(([code]) => Promise.reject(new Error(`the data plane ended with ${code}`))),
  ])) as [number]
  return { child, port }
}
