/** One measured burst of load from the second core, the proxy's CPU time from the kernel before and after. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Contestant } from './contestants.ts'
import { loadCore } from './pinned-programs.ts'
import { cpuMicroseconds } from './process-cpu.ts'
import { grpcMessage, headerName, headerValue } from './workload.ts'

export type Load =
  /** HTTP/1.1, 64 keep-alive connections of wrk. */
  | { readonly kind: 'http1'; readonly scheme: 'http' | 'https'; readonly host: string; readonly path: string; readonly fields?: Fields }
  /** HTTP/2, 16 connections of 16 streams of h2load. */
  | { readonly kind: 'http2'; readonly host: string; readonly path: string }
  /** The same in clear text by prior knowledge, each request a unary call. */
  | { readonly kind: 'grpc'; readonly host: string; readonly path: string }
  /** 64 WebSockets, on each one message under way. */
  | { readonly kind: 'websocket' }

export type Fields = Readonly<Record<string, string>>

/** What makes the load. */
export interface Tools {
  readonly wrk: string
  /** Undefined when it is not installed. */
  readonly h2load: string | undefined
  /** Holds `grpcMessage`. */
  readonly messageFile: string
}

export interface Burst {
  readonly requests: number
  readonly requestsPerSecond: number
  /** CPU microseconds of the proxy for each request. */
  readonly cpuPerRequest: number
  /** Part of the burst's time in which the proxy had the processor. */
  readonly busy: number
  readonly errors: number
}

interface Outcome {
  readonly requests: number
  readonly errors: number
  /** Seconds, where it is not what was asked for. */
  readonly took?: number
}

/** h2load (1.52) does not always end when its time is over, so it gets a number of requests: for each second of a burst so many. */
const http2RequestsPerSecond = 8_000

export function needsH2load({ kind }: Load): boolean {
  return kind === 'http2' || kind === 'grpc'
}

/** Drives `contestant` for some seconds. */
export async function burst(tools: Tools, contestant: Contestant, load: Load, seconds: number): Promise<Burst> {
  const before = cpuMicroseconds(contestant.pids)
  const output = await run('taskset', ['-c', loadCore, ...commandOf(tools, load, contestant, seconds)])
  const spent = cpuMicroseconds(contestant.pids) - before
  const { requests, errors, took = seconds } = outcomeOf(load, output)
  if (!(requests > 0)) throw new Error(`Cannot measure ${contestant.name}: the load must complete requests, got\n${output}`)
  return {
    requests,
    requestsPerSecond: requests / took,
    cpuPerRequest: spent / requests,
    busy: spent / (took * 1e6),
    errors,
  }
}

function commandOf({ wrk, h2load = '', messageFile }: Tools, load: Load, { ports }: Contestant, seconds: number): string[] {
  switch (load.kind) {
    case 'http1': {
      const url = `${load.scheme}://127.0.0.1:${ports[load.scheme]}${load.path}`
      return [wrk, '-t1', '-c64', `-d${seconds}s`, ...fieldArguments({ Host: load.host, ...load.fields }), url]
    }
    case 'http2':
      return [...h2loadFor(h2load, seconds, load.host), `https://127.0.0.1:${ports.https}${load.path}`]
    case 'grpc': {
      const options = h2loadFor(h2load, seconds, load.host, { 'content-type': 'application/grpc', te: 'trailers' })
      return [...options, '-d', messageFile, `http://127.0.0.1:${ports.h2c}${load.path}`]
    }
    case 'websocket':
      return [process.execPath, join(import.meta.dirname, 'websocket-load.js'), String(ports.http), '64', String(seconds)]
  }
}

function h2loadFor(h2load: string, seconds: number, host: string, fields: Fields = {}): string[] {
  return [h2load, '-t1', '-c16', '-m16', `-n${seconds * http2RequestsPerSecond}`, ...fieldArguments({ ':authority': host, ...fields })]
}

/** With what all routes ask for. */
function fieldArguments(fields: Fields): string[] {
  return Object.entries({ ...fields, [headerName]: headerValue }).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
}

function outcomeOf(load: Load, output: string): Outcome {
  switch (load.kind) {
    case 'http1':
      return wrkOutcome(output)
    case 'http2':
      return h2loadOutcome(output, 0)
    case 'grpc':
      return h2loadOutcome(output, grpcMessage.length)
    case 'websocket': {
      const { messages, errors } = JSON.parse(output) as { messages: number; errors: number }
      return { requests: messages, errors }
    }
  }
}

function wrkOutcome(output: string): Outcome {
  const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0)
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output)?.slice(1).map(Number) ?? []
  return { requests: Number(/(\d+) requests in/.exec(output)?.[1] ?? 0), errors: bad + socketErrors.reduce((sum, n) => sum + n, 0) }
}

/** @param least bytes of each answer: a failed gRPC call is a 200 without a message */
function h2loadOutcome(output: string, least: number): Outcome {
  const count = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN)
  const done = count(/ (\d+) done,/)
  const unsuccessful = done - count(/ (\d+) 2xx/)
  const broken = count(/ (\d+) failed,/) + count(/ (\d+) errored,/)
  const empty = least === 0 ? 0 : Math.max(0, Math.ceil(done - count(/\((\d+)\) data/) / least))
  const [, time = 'NaN', unit] = /finished in ([\d.]+)(ms|s),/.exec(output) ?? []
  return { requests: done, errors: unsuccessful + broken + empty, took: Number(time) / (unit === 'ms' ? 1000 : 1) }
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(child, 'close')
  return output
}
