/**
 * `npm run soak`: nothing lost, nothing leaked, for as long as one likes.
 *
 * `gatewright run` serves a folder that changes every second, while clients of every kind use it: HTTP/1.1, HTTP/2, gRPC
 * and WebSockets, in clear text and over TLS, through every filter, to backends that die and come back; and others that
 * are slow and rude. Each answer is judged, and what the gateway's process holds must be after the load what it was before
 * it: files, sockets, timers, memory, connections, streams. Prints tables, and ends with 1 when something leaked or failed.
 * Options: --minutes N or --seconds N (5 minutes), --seed N.
 */
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { readOptions } from './options.ts'
import { report } from './report.ts'
import type { Sample } from './sample.ts'
import { Soak } from './soak.ts'

/** build/test/soak */
const root = join(import.meta.dirname, '../../..')

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function saySample(seconds: number, { files, timers, heap, resident, connections, requests, upstreamConnections }: Sample): void {
  say(
    `${String(seconds).padStart(5)} s: ${connections} connections, ${requests} requests and streams, ${upstreamConnections} upstream connections, ` +
      `${files} files, ${timers} timers, heap ${heap.toFixed(1)} MiB, resident ${resident.toFixed(0)} MiB`,
  )
}

async function main(): Promise<number> {
  const { time, warmUp, seed } = readOptions()
  const delays = monitorEventLoopDelay({ resolution: 20 })
  delays.enable()
  const soak = await Soak.start(join(root, 'dist/cli/main.js'), seed)
  let exitStatus: number | null = null
  const end = (): never => {
    process.kill(soak.gateway.pid)
    process.exit(130)
  }
  process.once('SIGINT', end).once('SIGTERM', end)
  try {
    say(`warm-up of ${warmUp / 1_000} s, then ${time / 1_000} s of load; seed ${seed}`)
    const interval = Math.max(2_000, Math.min(30_000, time / 6))
    const warmed = await soak.load(warmUp, Math.min(interval, warmUp), saySample)
    const before = await soak.rest()
    const phase = await soak.load(time, interval, saySample)
    const after = await soak.rest()
    exitStatus = await soak.stop()
    const complaints = soak.gateway.log.filter((line) => /"level":"error"|^\s+at |Warning/.test(line))
    const { lines, wrong } = report({ before, after, phases: [warmed, phase], exitStatus, complaints })
    say(`\n${lines.join('\n')}\n`)
    say(`This process stood still for ${(delays.max / 1e6).toFixed(0)} ms at most: waits up to that may be the machine's.`)
    say(wrong.length === 0 ? 'Nothing lost, nothing leaked.' : `WRONG:\n${wrong.map((line) => `  ${line}`).join('\n')}`)
    return wrong.length === 0 ? 0 : 1
  } finally {
    if (exitStatus === null) await soak.stop()
  }
}

process.exitCode = await main()
