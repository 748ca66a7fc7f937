/** One measured burst of load: wrk on the second core, the proxy's CPU time from the kernel before and after. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { loadCore, type Contestant } from './contestants.ts'
import { cpuMicroseconds } from './process-cpu.ts'
import { headerName, headerValue, host } from './workload.ts'

export interface Burst {
  readonly requests: number
  readonly requestsPerSecond: number
  /** CPU microseconds of the proxy for each request. */
  readonly cpuPerRequest: number
  readonly errors: number
}

/** Drives `contestant` for some seconds with 64 keep-alive connections. */
export async function burst(wrk: string, contestant: Contestant, scheme: 'http' | 'https', path: string, seconds: number): Promise<Burst> {
  const url = `${scheme}://127.0.0.1:${contestant.ports[scheme]}${path}`
  const before = cpuMicroseconds(contestant.pids)
  const output = await run('taskset', [
    '-c',
    loadCore,
    wrk,
    '-t1',
    '-c64',
    `-d${seconds}s`,
    '-H',
    `Host: ${host}`,
    '-H',
    `${headerName}: ${headerValue}`,
    url,
  ])
  const spent = cpuMicroseconds(contestant.pids) - before
  const requests = Number(/(\d+) requests in/.exec(output)?.[1] ?? 0)
  const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0)
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output)?.slice(1).map(Number) ?? []
  if (requests === 0) throw new Error(`Cannot measure ${contestant.name}: wrk must complete requests, got\n${output}`)
  return {
    requests,
    requestsPerSecond: requests / seconds,
    cpuPerRequest: spent / requests,
    errors: bad + socketErrors.reduce((sum, n) => sum + n, 0),
  }
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(child, 'close')
  return output
}
