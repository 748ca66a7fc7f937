import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { AccessLog, type LogStream } from '../../../src/telemetry/access-log.ts'
import type { AccessRecord } from '../../../src/telemetry/access-record.ts'

const record: AccessRecord = {
  time: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  duration: 1.23456,
  requestId: '00ff',
  client: '192.0.2.1',
  scheme: 'https',
  protocol: 'HTTP/1.1',
  method: 'GET',
  host: 'a.example',
  target: '/cart?x=1',
  status: 200,
  flag: '',
  filter: '',
  requestBytes: 0,
  responseBytes: 12,
  listener: 'Gateway/default/gate/https',
  route: 'HTTPRoute/default/cart',
  rule: 'HTTPRoute/default/cart/0',
  backend: 'Service/default/cart:80',
  upstream: '127.0.0.1:3000',
  attempts: 1,
  failed: [],
  session: '',
  mirrors: 0,
  grpcStatus: undefined,
}

class FakeStream implements LogStream {
  readonly written: string[] = []
  takes = true
  drain: () => void = () => {}

  write(text: string): boolean {
    this.written.push(text)
    return this.takes
  }
  once(_event: 'drain', listener: () => void): void {
    this.drain = listener
  }
  end(done: () => void): void {
    done()
  }
}

describe('the access log', () => {
  it('writes a JSON line with every field of the record', async () => {
    const stream = new FakeStream()
    const log = new AccessLog({ format: 'json', stream })
    log.record(record)
    await log.close()
    expect(JSON.parse(stream.written.join(''))).toEqual({ ...record, time: '2026-01-02T03:04:05.678Z', duration: 1.235 })
  })

  it('writes text that begins like the common log format and names the rest', async () => {
    const stream = new FakeStream()
    const log = new AccessLog({ format: 'text', stream })
    log.record(record)
    log.record({ ...record, method: '', target: '', host: '', status: 400, flag: 'bad-request', rule: '', backend: '', upstream: '' })
    await log.close()
    expect(stream.written.join('').split('\n')).toEqual([
      '192.0.2.1 [2026-01-02T03:04:05.678Z] "GET /cart?x=1 HTTP/1.1" 200 12 host=a.example duration=1.235ms' +
        ' rule=HTTPRoute/default/cart/0 backend=Service/default/cart:80 upstream=127.0.0.1:3000 id=00ff',
      '192.0.2.1 [2026-01-02T03:04:05.678Z] "-" 400 12 duration=1.235ms flag=bad-request id=00ff',
      '',
    ])
  })

  it('says which filter answered, which attempts failed, what became of session and mirrors, and the status of a gRPC call', async () => {
    const stream = new FakeStream()
    const log = new AccessLog({ format: 'text', stream })
    const failed = ['127.0.0.1:1 connect-refused', '[::1]:3000 503']
    log.record({ ...record, attempts: 3, failed, session: 'moved', mirrors: 2, grpcStatus: 0 })
    log.record({ ...record, flag: 'preflight', filter: 'CORS' })
    await log.close()
    const [tried, answered] = stream.written.join('').split('\n')
    expect(tried).toContain(' duration=1.235ms grpc=0 rule=')
    expect(tried).toContain(' attempts=3 failed=127.0.0.1:1/connect-refused,[::1]:3000/503 session=moved mirrors=2 id=00ff')
    expect(answered).toContain(' flag=preflight filter=CORS rule=')
  })

  it('lets no client write a line, a quote or a control sequence of its own', async () => {
    const stream = new FakeStream()
    const log = new AccessLog({ format: 'text', stream })
    log.record({ ...record, target: '/"\r\n\x1b[2J\\', host: 'a b=\u00e9' })
    await log.close()
    const text = stream.written.join('')
    expect(text).toContain('"GET /\\x22\\x0d\\x0a\\x1b[2J\\x5c HTTP/1.1"')
    expect(text).toContain('host=a\\x20b=\\xe9 ')
    expect(text.trimEnd()).not.toMatch(/[\x00-\x1f]/)
  })

  it('gathers lines and writes them after the delay without being asked', async () => {
    const stream = new FakeStream()
    const log = new AccessLog({ format: 'json', stream, delay: 10 })
    for (let i = 0; i < 5; i++) log.record(record)
    expect(stream.written).toEqual([])
    await delay(40)
    expect(stream.written).toHaveLength(1)
    expect(stream.written[0]?.split('\n')).toHaveLength(6)
  })

  it('keeps lines while the stream is blocked, drops them beyond the bound, and goes on after', async () => {
    const stream = new FakeStream()
    const log = new AccessLog({ format: 'json', stream, delay: 1, bound: 20_000 })
    stream.takes = false
    const lineLength = JSON.stringify(record).length
    for (let i = 0; i < 200; i++) log.record(record)
    expect(stream.written).toHaveLength(1)
    expect(log.dropped).toBeGreaterThan(0)
    stream.takes = true
    stream.drain()
    log.record(record)
    await log.close()
    const lines = stream.written.join('').split('\n').length - 1
    expect(lines).toBe(201 - log.dropped)
    expect(stream.written.join('').length).toBeLessThan(16 * 1024 + 20_000 + 3 * lineLength)
  })
})
