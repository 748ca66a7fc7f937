import { describe, expect, it } from 'vitest'
import { AccessLog } from '../../../src/telemetry/access-log.ts'
import type { AccessRecord } from '../../../src/telemetry/access-record.ts'
import { SentLines } from '../../../src/workers/sent-lines.ts'

function record(target: string): AccessRecord {
  return {
    time: 0,
    duration: 1,
    requestId: 'id',
    client: '127.0.0.1',
    scheme: 'http',
    protocol: 'HTTP/1.1',
    method: 'GET',
    host: 'a.example',
    target,
    status: 200,
    flag: '',
    filter: '',
    requestBytes: 0,
    responseBytes: 0,
    listener: '',
    route: '',
    rule: '',
    backend: '',
    upstream: '',
    attempts: 1,
    failed: [],
    session: '',
    mirrors: 0,
    grpcStatus: undefined,
  }
}

describe('lines on their way to the main process', () => {
  it('wait until the ones before have been taken, and the end for all of them', async () => {
    const sent: string[] = []
    const lines = new SentLines((text) => sent.push(text))
    const log = new AccessLog({ format: 'json', stream: lines, delay: 0 })
    const long = 'x'.repeat(20_000)
    log.record(record(`/1${long}`))
    log.record(record(`/2${long}`))
    log.record(record(`/3${long}`))
    expect(sent).toHaveLength(1)
    lines.taken()
    expect(sent).toHaveLength(2)
    expect(sent[1]).toContain('/2xx')
    expect(sent[1]).toContain('/3xx')
    log.record(record('/4'))
    let closed = false
    const end = log.close().then(() => (closed = true))
    await Promise.resolve()
    expect(sent).toHaveLength(3)
    lines.taken()
    await Promise.resolve()
    expect(closed).toBe(false)
    lines.taken()
    await end
    expect(closed).toBe(true)
    expect(sent.every((text) => text.endsWith('\n'))).toBe(true)
  })
})
