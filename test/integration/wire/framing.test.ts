/** Ambiguous framing that other suites leave out: each is answered by the gateway alone, and nothing behind it is served. */
import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { response } from '../../harness/scripted-backend.ts'

const h = harness()
const behind = 'GET /behind HTTP/1.1\r\nHost: a\r\n\r\n'

const heads: readonly (readonly [what: string, status: number, bytes: string])[] = [
  ['a length behind a vertical tab', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \x0b3\r\n\r\nabc'],
  ['a length behind a form feed', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\x0c\r\n\r\nabc'],
  ['a length behind a no-break space', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \xa03\r\n\r\nabc'],
  ['a length with an underscore', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n0123456789'],
  ['a length in quotes', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: "3"\r\n\r\nabc'],
  ['a list of lengths with an empty member', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ,3\r\n\r\nabc'],
  ['an empty and a true length', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\nContent-Length: 3\r\n\r\nabc'],
  ['chunked with a parameter', 501, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n'],
  ['chunked behind a comma', 400, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n'],
  ['chunked before a comma', 501, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,\r\n\r\n0\r\n\r\n'],
  ['chunked before a form feed', 400, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\x0c\r\n\r\n0\r\n\r\n'],
  ['identity beside a length', 400, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc'],
  ['chunked with an empty length', 400, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length:\r\n\r\n0\r\n\r\n'],
  ['a name that ends with a no-break space', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length\xa0: 3\r\n\r\nabc'],
  ['a CR within a name', 400, 'POST / HTTP/1.1\r\nHost: a\r\nX\rContent-Length: 3\r\n\r\nabc'],
  ['a fold behind Host', 400, 'GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n'],
  ['a line of white space before the end', 400, 'GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n'],
  ['an absolute target with another port', 400, 'GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an absolute target whose default port is the other scheme’s', 400, 'GET https://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n'],
  ['an absolute target without a host', 400, 'GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an absolute target with a fragment', 400, 'GET http://a#/x HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an absolute target with a backslash', 400, 'GET http://a\\@b/ HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an absolute target beside two Hosts', 400, 'GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['a Host in UTF-8', 400, 'GET / HTTP/1.1\r\nHost: \xc4\x8d\r\n\r\n'],
  ['a Host with a comma in its port', 400, 'GET / HTTP/1.1\r\nHost: a:80,b\r\n\r\n'],
  ['a Host of two dots', 400, 'GET / HTTP/1.1\r\nHost: a..\r\n\r\n'],
  ['an empty Host', 400, 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
  ['a Host of a port alone', 400, 'GET / HTTP/1.1\r\nHost: :80\r\n\r\n'],
  ['a Host of no IPv6', 400, 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n'],
  ['CONNECT in HTTP/1.0', 405, 'CONNECT a:80 HTTP/1.0\r\n\r\n'],
  ['CONNECT with a path', 405, 'CONNECT /x HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['TRACE in chunks', 400, 'TRACE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['OPTIONS ** ', 400, 'OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['HTTP/1.10', 400, 'GET / HTTP/1.10\r\nHost: a\r\n\r\n'],
  ['HTTP/01.1', 400, 'GET / HTTP/01.1\r\nHost: a\r\n\r\n'],
  ['a version behind two spaces', 400, 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['white space behind the version', 400, 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n'],
  ['NUL before the request line', 400, '\0GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['LF before the request line', 400, '\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['two expectations', 417, 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc'],
  ['a list of expectations', 417, 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, x\r\nContent-Length: 3\r\n\r\nabc'],
]

describe('[wire:exchange-ambiguous-refused] a head behind a good request', () => {
  it.each(heads)('with %s gives %i', async (_what, status, bytes) => {
    const { web, client } = await h.scene()
    await client.request({ target: '/first' })
    client.send(bytes + behind)
    const answer = await client.answer()
    expect([answer.status, answer.header('connection')]).toEqual([status, 'close'])
    expect(await client.closed()).toBe('end')
    expect(client.received).toBe('')
    expect([web.requests.length, web.rest]).toEqual([1, ''])
  })
})

const bodies: readonly (readonly [what: string, body: string])[] = [
  ['a CR within an extension', '3;a\rb\r\nabc\r\n0\r\n\r\n'],
  ['a CR at the end of an extension', '3;a\r\r\nabc\r\n0\r\n\r\n'],
  ['an extension in quotes that holds CRLF', '3;a="\r\n"\r\nabc\r\n0\r\n\r\n'],
  ['a vertical tab behind the size', '3\x0b\r\nabc\r\n0\r\n\r\n'],
  ['a no-break space behind the size', '3\xa0\r\nabc\r\n0\r\n\r\n'],
  ['white space before the size', ' 3\r\nabc\r\n0\r\n\r\n'],
  ['a negative size', '-3\r\nabc\r\n0\r\n\r\n'],
  ['an underscore in the size', '0_3\r\nabc\r\n0\r\n\r\n'],
  ['a size that overflows', 'ffffffffffffffff3\r\nabc\r\n0\r\n\r\n'],
  ['a size that is too small', '2\r\nabc\r\n0\r\n\r\n'],
  ['two empty lines behind the data', '3\r\nabc\r\n\r\n0\r\n\r\n'],
  ['white space before a colon in a trailer', '3\r\nabc\r\n0\r\nX : y\r\n\r\n'],
  ['a trailer without a colon', '3\r\nabc\r\n0\r\nGET /evil HTTP/1.1\r\n\r\n'],
  ['extensions of 17 KiB in many chunks', `1;${'x'.repeat(250)}\r\nx\r\n`.repeat(70) + '0\r\n\r\n'],
  ['129 trailers', `0\r\n${'X: y\r\n'.repeat(129)}\r\n`],
]

describe('[wire:exchange-chunks-refused] chunks behind a good request', () => {
  it.each(bodies)('with %s give 400, and the backend sees no end of them', async (_what, body) => {
    const { web, client } = await h.scene()
    await client.request({ target: '/first' })
    client.send(`POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}${behind}`)
    expect((await client.answer()).status).toBe(400)
    expect(await client.closed()).toBe('end')
    expect(client.received).toBe('')
    expect(web.requests.map(({ line }) => line)).toEqual(['GET /first HTTP/1.1'])
    expect(web.rest).not.toContain('behind')
  })
})

describe('a pooled connection', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'])(
    '[wire:exchange-stale] that closes under a %s gives 502, and the request is sent once',
    async (method) => {
      const { web, client } = await h.scene((request, connection) => {
        if (request.line.startsWith('GET')) connection.write(response('ok'))
        else connection.socket.end()
      })
      await client.request()
      expect((await client.request({ method })).status).toBe(502)
      expect(web.requests.filter(({ line }) => line.startsWith(method))).toHaveLength(1)
    },
  )

  it('[wire:exchange-stale] that closes under a GET with a body gives 502, and the request is sent once', async () => {
    const { web, client } = await h.scene((request, connection) => {
      if (request.body === '') connection.write(response('ok'))
      else connection.socket.end()
    })
    await client.request()
    expect((await client.request({ body: 'x' })).status).toBe(502)
    expect(web.requests).toHaveLength(2)
  })

  it('[wire:exchange-stale] that closes twice under a GET gives 502: it is repeated once', async () => {
    const { web, client } = await h.scene((request, connection) => {
      if (request.line.includes('/gone')) connection.socket.end()
      else connection.write(response('ok'))
    })
    await client.request()
    expect((await client.request({ target: '/gone' })).status).toBe(502)
    expect(web.requests.filter(({ line }) => line.includes('/gone'))).toHaveLength(2)
  })

  it.each([
    ['timeout=1', 2],
    ['timeout=0', 2],
    ['max=5, timeout=100', 1],
    ['nothing', 1],
  ])('[wire:response-keep-alive] whose backend says Keep-Alive: %s carries two requests on %i connections', async (value, connections) => {
    const { web, client } = await h.scene((_request, connection) => connection.write(response('ok', '200 OK', `Keep-Alive: ${value}\r\n`)))
    for (let i = 0; i < 2; i++) expect((await client.request()).header('keep-alive')).toBeUndefined()
    expect(web.connections).toHaveLength(connections)
  })

  it.each([
    ['says close', 'HTTP/1.1 200 OK\r\nConnection: CLOSE\r\nContent-Length: 2\r\n\r\nok'],
    ['speaks HTTP/1.0 with keep-alive', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok'],
  ])('[wire:exchange-reuse] whose backend %s is not used again, and the client’s stays', async (_what, bytes) => {
    const { web, client } = await h.scene((_request, connection) => connection.write(bytes))
    for (let i = 0; i < 2; i++) expect((await client.request()).header('connection')).toBeUndefined()
    expect(web.connections).toHaveLength(2)
  })

  it('[wire:exchange-early-answer] whose request was answered while its body was under way is not used again', async () => {
    const { web, gate, client } = await h.scene(undefined, undefined, (connection) => {
      if (connection.bytes.startsWith('POST') && connection.bytes.endsWith('abc')) connection.write(response('early'))
    })
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc')
    const answer = await client.answer()
    expect([answer.body, answer.header('connection')]).toEqual(['early', 'close'])
    client.send('GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n')
    await pause(50)
    expect((await (await h.client(gate)).request({ target: '/next' })).body).toBe('ok')
    const [first] = web.connections
    await eventually(() => first?.ending !== 'open', 'the end of the upstream connection')
    expect([web.connections.length, first?.bytes.includes('smuggled')]).toEqual([2, false])
  })
})

describe('weights', () => {
  it('[wire:exchange-connect-retry] are kept when an endpoint refuses: another of the same backend is asked, never another backend', async () => {
    const live = await h.backend()
    const other = await h.backend((_request, connection) => connection.write(response('other')))
    const gone = await h.backend()
    const closed = gone.port
    await gone.close()
    const gate = await h.gateway({
      pools: { half: [closed, live.port], dead: [closed], other: [other.port] },
      rules: [
        {
          backends: [
            { kind: 'pool', pool: 'half', weight: 1, filters: [] },
            { kind: 'pool', pool: 'dead', weight: 1, filters: [] },
            { kind: 'pool', pool: 'other', weight: 1, filters: [] },
            { kind: 'fail', backend: 'gone', reason: 'BackendNotFound', message: '', weight: 1 },
          ],
        },
      ],
    })
    const client = await h.client(gate)
    const seen = new Map<string, number>()
    for (let i = 0; i < 40; i++) {
      const { status, body } = await client.request()
      const what = status === 200 ? body : String(status)
      seen.set(what, (seen.get(what) ?? 0) + 1)
    }
    expect(Object.fromEntries(seen)).toEqual({ ok: 10, other: 10, 502: 10, 500: 10 })
  })
})
