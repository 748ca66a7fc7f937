/** Nanoseconds for one parse of a request head, for a small one (134 bytes) and a browser's (484 bytes). Run: tsc -p tsconfig.bench.json, then node build/bench/micro-head.js */
import { DEFAULT_HEAD_LIMITS } from '../src/proxy/http1/codec.ts'
import { RequestHeadReader } from '../src/proxy/http1/request-head.ts'

const SMALL = head(134, ['GET /r42/cart HTTP/1.1', 'Host: bench.example.com', 'X-Env: canary', 'Accept: */*'])
const BROWSER = head(484, [
  'GET /r42/cart?page=2&sort=price HTTP/1.1',
  'Host: bench.example.com',
  'Connection: keep-alive',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Encoding: gzip, deflate, br',
  'Accept-Language: en-US,en;q=0.9,de;q=0.8',
  'Cache-Control: no-cache',
  'X-Env: canary',
  'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark',
])

const ROUNDS = 7
const PARSES = 300_000

for (const [name, bytes] of [
  ['small', SMALL],
  ['browser', BROWSER],
] as const) {
  const parse = best(bytes, false)
  const forward = best(bytes, true)
  console.log(
    `${name} head, ${bytes.length} bytes: ${parse.toFixed(0)} ns a parse, ${forward.toFixed(0)} ns with one look-up and the lines to forward`,
  )
}

/** The best of some rounds: what the code costs when nothing else runs. */
function best(bytes: Buffer, forward: boolean): number {
  const reader = new RequestHeadReader(DEFAULT_HEAD_LIMITS)
  let fastest = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    let used = 0
    const start = process.hrtime.bigint()
    for (let i = 0; i < PARSES; i++) {
      const parsed = reader.push(bytes, 0)
      if (parsed?.kind !== 'request') throw new Error('Cannot measure: the head must be valid')
      used += parsed.path.length
      if (forward) used += (parsed.fields.get('x-env') ?? '').length + parsed.fields.lines(true, false).length
    }
    const nanoseconds = Number(process.hrtime.bigint() - start) / PARSES
    if (used > 0 && nanoseconds < fastest) fastest = nanoseconds
  }
  return fastest
}

/** Fills the head up to `size` bytes with a User-Agent. */
function head(size: number, lines: string[]): Buffer {
  const text = lines.join('\r\n') + '\r\nUser-Agent: '
  return Buffer.from(text.padEnd(size - 4, 'wrk/4.1.0 (X11; Linux x86_64) ') + '\r\n\r\n', 'latin1')
}
