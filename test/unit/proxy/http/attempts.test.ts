import { describe, expect, it } from 'vitest'
import { defaultBounds } from '../../../../src/config/bounds.ts'
import { type AttemptedRequest, FailedAttempts } from '../../../../src/proxy/http/attempts.ts'
import type { Downstream } from '../../../../src/proxy/http/downstream.ts'
import { RequestBody } from '../../../../src/proxy/http/request-body.ts'
import type { Pool } from '../../../../src/proxy/upstream/pool.ts'
import type { Upstream } from '../../../../src/proxy/upstream/upstream.ts'

/** An upstream that has the head, and what it was sent of the body. */
function upstream() {
  const taken = { body: '', ended: false }
  const one = {
    sendBody: (bytes: Buffer, from: number, to: number) => void (taken.body += bytes.toString('latin1', from, to)),
    endRequest: () => void (taken.ended = true),
    flush: () => undefined,
    blocked: false,
    endpoint: { name: '127.0.0.1:80' },
  } as unknown as Upstream
  return { taken, upstream: one }
}

function scene(bound = defaultBounds.retryBody) {
  const calls: string[] = []
  const note = (name: string) => () => void calls.push(name)
  const client = { startBody: note('start'), pauseBody: note('pause'), resumeBody: note('resume') } as unknown as Downstream
  const body = new RequestBody(client)
  // As an exchange does for a backend that speaks HTTP/2.
  body.keep(bound)
  const pool = { size: 1, counters: { retries: 0 }, runtime: { bounds: { ...defaultBounds, retryBody: bound } } } as unknown as Pool
  const request: AttemptedRequest = {
    client,
    method: 'POST',
    match: undefined,
    body,
    backendFilters: undefined,
    endpoint: undefined,
    pool,
    attempt: note('attempt'),
    refuse: note('refuse'),
    leaveAttempt: () => {
      calls.push('leave')
      body.withdraw()
    },
  }
  return { calls, body, failed: new FailedAttempts(request) }
}

const bytes = (text: string): [Buffer, number, number] => [Buffer.from(text), 0, text.length]

describe('a request that its endpoint did not process', () => {
  it('[wire:h2-refused-stream] is sent again with the body that came before there was another connection', () => {
    const { calls, body, failed } = scene()
    const [first, second] = [upstream(), upstream()]
    body.sendTo(first.upstream)
    expect(failed.goesAgain('refused', first.upstream)).toBe(true)
    expect(failed.reasons).toEqual(['127.0.0.1:80 refused'])
    body.take(...bytes('hel'))
    body.take(...bytes('lo'))
    body.flush()
    body.done = true
    body.end(undefined)
    expect(calls).toEqual(['start', 'leave', 'attempt'])
    body.sendTo(second.upstream)
    expect([first.taken, second.taken]).toEqual([
      { body: '', ended: false },
      { body: 'hello', ended: true },
    ])
  })

  it('pauses its client when too much comes meanwhile', () => {
    const { calls, body, failed } = scene(4)
    const [first, second] = [upstream(), upstream()]
    body.sendTo(first.upstream)
    failed.goesAgain('refused', first.upstream)
    body.take(...bytes('hello'))
    body.flush()
    expect(calls).toEqual(['start', 'leave', 'attempt', 'pause'])
    body.sendTo(second.upstream)
    body.take(...bytes(' world'))
    expect(second.taken).toEqual({ body: 'hello world', ended: false })
    expect(calls.at(-1)).toBe('resume')
  })

  it('is not sent again when more of its body has gone than is kept', () => {
    const { body, failed } = scene(4)
    const first = upstream()
    body.sendTo(first.upstream)
    body.take(...bytes('hello'))
    expect(first.taken.body).toBe('hello')
    expect(failed.goesAgain('refused', first.upstream)).toBe(false)
  })

  it('is sent again once', () => {
    const { failed } = scene()
    expect(failed.goesAgain('refused', upstream().upstream)).toBe(true)
    expect(failed.goesAgain('refused', upstream().upstream)).toBe(false)
  })
})
