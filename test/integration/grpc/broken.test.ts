/** Answers to gRPC requests as bytes show them: which end there is, and whether it may be taken for a status. */
import { describe, expect, it } from 'vitest'
import { harness } from '../../harness/harness.ts'
import type { RespondTo } from '../../harness/http2-backend.ts'
import { always } from '../../harness/scripted-backend.ts'

const h = harness()
const message = '\0\0\0\0\0'
const call = { method: 'POST', target: '/test.Echo/Unary', body: message, fields: ['content-type: application/grpc', 'te: trailers'] }

async function scene(respond: RespondTo, request?: number) {
  const web = await h.http2Backend(respond)
  const rule = { grpc: true, backends: ['web'], ...(request !== undefined && { request }) }
  const gate = await h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules: [rule] })
  return { web, client: await h.http2(gate) }
}

describe('an answer to a gRPC request', () => {
  it('[wire:grpc-broken] that ends without a status is reset', async () => {
    const { client } = await scene(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.end(message)
    })
    expect(await client.request(call)).toMatchObject({ status: 200, body: message, trailers: '', resetCode: 2 })
  })

  it('[wire:grpc-broken] that is nothing but a head without a status is reset', async () => {
    const { client } = await scene(({ stream }) =>
      stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { endStream: true }),
    )
    expect(await client.request(call)).toMatchObject({ resetCode: 2 })
  })

  it.each([404, 503])('[wire:grpc-http] that is none of gRPC, as a %i page, goes on as it is', async (status) => {
    const { client } = await scene(({ stream }) => {
      stream.respond({ ':status': status, 'content-type': 'text/html' })
      stream.end('a page')
    })
    expect(await client.request(call)).toMatchObject({ status, body: 'a page', trailers: '', resetCode: 0 })
  })

  it('[wire:grpc-http] that is a page of a backend of HTTP/1.1 goes on as it is', async () => {
    const old = await h.backend(always('HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n'))
    const gate = await h.gateway({ pools: { old: [old.port] }, rules: [{ backends: ['old'] }] })
    expect(await (await h.http2(gate)).request(call)).toMatchObject({ status: 404, body: 'no', trailers: '', resetCode: 0 })
  })

  it('[wire:grpc-calls] that has a length keeps its status', async () => {
    const { client } = await scene(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'content-length': 5 }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5', 'grpc-message': 'none' }))
      stream.end(message)
    })
    const answer = await client.request(call)
    expect(answer).toMatchObject({ status: 200, body: message, resetCode: 0 })
    expect(answer.trailers).toContain('grpc-status: 5\r\n')
  })

  it('[wire:grpc-timeout] that has begun ends with DEADLINE_EXCEEDED when the deadline passes', async () => {
    const { web, client } = await scene(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.write(message)
    })
    const answer = await client.request({ ...call, fields: [...call.fields, 'grpc-timeout: 150m'] })
    expect(answer).toMatchObject({ status: 200, body: message, resetCode: 0 })
    expect(answer.trailers).toMatch(/^grpc-status: 4\r\n/)
    await expect.poll(() => web.streams[0]?.stream.rstCode).toBe(8)
  })

  it.each([
    ['10S', 150, '150m'],
    ['10S', 20_000, '10S'],
    ['99999999H', 200_000_000, '200000S'],
    ['late', 150, 'late'],
  ])('[wire:grpc-timeout] to a call with the deadline %s on a route of %i ms: its backend hears of %s', async (asked, request, told) => {
    const { web, client } = await scene(
      ({ stream }) => stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true }),
      request,
    )
    await client.request({ ...call, fields: [...call.fields, `grpc-timeout: ${asked}`] })
    expect(web.streams[0]?.header('grpc-timeout')).toBe(told)
  })

  it('[wire:grpc-broken] that has begun and breaks off ends with UNAVAILABLE', async () => {
    const { client } = await scene(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.write(message)
      setTimeout(() => stream.destroy(new Error('broken')), 20)
    })
    expect((await client.request(call)).trailers).toMatch(/^grpc-status: 14\r\n/)
  })

  it('[wire:grpc-broken] that is cut by the time of its route is never OK', async () => {
    const { client } = await scene(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.write(message)
    }, 150)
    expect((await client.request(call)).trailers).toMatch(/^grpc-status: 14\r\n/)
  })
})
