import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_HEAD_LIMITS } from '../../../src/proxy/http1/codec.ts'
import { ResponseHeadReader } from '../../../src/proxy/http1/response-head.ts'
import { readResponse, response } from './reading.ts'

const GET = { method: 'GET', upgrade: '' }
const HEAD = { method: 'HEAD', upgrade: '' }
const WEBSOCKET = { method: 'GET', upgrade: 'websocket' }

function ok(...lines: string[]): string {
  return ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n')
}

function status(line: string, ...lines: string[]): string {
  return [line, ...lines, '', ''].join('\r\n')
}

describe('responses that are no answer', () => {
  it.each([
    ['[wire:response-status-line]', 'an HTTP/0.9 body', '<html>', 'bad-status-line'],
    ['[wire:response-status-line]', 'HTTP/2', status('HTTP/2 200'), 'bad-status-line'],
    ['[wire:response-status-line]', 'HTTP/2.0', status('HTTP/2.0 200 OK'), 'bad-status-line'],
    ['[wire:response-status-line]', 'a version in lower case', status('http/1.1 200 OK'), 'bad-status-line'],
    ['[wire:response-status-line]', 'two digits', status('HTTP/1.1 20 OK'), 'bad-status-line'],
    ['[wire:response-status-line]', 'four digits', status('HTTP/1.1 2000 OK'), 'bad-status-line'],
    ['[wire:response-status-line]', 'a status below 100', status('HTTP/1.1 099 OK'), 'bad-status-line'],
    ['[wire:response-status-line]', 'a status above 599', status('HTTP/1.1 600 OK'), 'bad-status-line'],
    ['[wire:response-status-line]', 'two spaces', status('HTTP/1.1  200 OK'), 'bad-status-line'],
    ['[wire:response-status-line]', 'an empty line before it', '\r\n' + ok(), 'bad-status-line'],
    ['[wire:response-status-line]', 'NUL in the reason', status('HTTP/1.1 200 O\0K'), 'bad-status-line'],
    ['[wire:response-status-line]', 'a line of more than 16 KiB', status('HTTP/1.1 200 ' + 'a'.repeat(16_384)), 'line-too-long'],
    ['[wire:response-strict]', 'a bare LF after the status line', 'HTTP/1.1 200 OK\nA: b\r\n\r\n', 'bare-lf'],
    ['[wire:response-strict]', 'a bare LF without a reason', 'HTTP/1.1 200\nA: b\r\n\r\n', 'bad-status-line'],
    ['[wire:response-strict]', 'a bare CR after the status line', 'HTTP/1.1 200 OK\rA: b\r\n\r\n', 'bare-cr'],
    ['[wire:response-strict]', 'a bare LF after a field', 'HTTP/1.1 200 OK\r\nA: b\n\r\n', 'bare-lf'],
    ['[wire:response-strict]', 'a bare CR in a value', ok('A: b\rc'), 'bare-cr'],
    ['[wire:response-strict]', 'a folded line', ok('A: b', ' c'), 'obs-fold'],
    ['[wire:response-strict]', 'a space before the colon', ok('A : b'), 'space-before-colon'],
    ['[wire:response-strict]', 'NUL in a value', ok('A: \0'), 'bad-value'],
    ['[wire:response-strict]', 'a head of more than 64 KiB', ok('A: ' + 'b'.repeat(65_536)), 'head-too-large'],
    ['[wire:response-strict]', 'more than 128 fields', ok(...Array.from({ length: 129 }, () => 'A: b')), 'too-many-fields'],
    [
      '[wire:response-framing]',
      'a length beside chunked',
      ok('Content-Length: 5', 'Transfer-Encoding: chunked'),
      'length-and-transfer-encoding',
    ],
    ['[wire:response-framing]', 'differing lengths', ok('Content-Length: 5', 'Content-Length: 6'), 'lengths-differ'],
    ['[wire:response-framing]', 'a list of lengths', ok('Content-Length: 5, 5'), 'bad-length'],
    ['[wire:response-framing]', 'a negative length', ok('Content-Length: -5'), 'bad-length'],
    ['[wire:response-framing]', 'an empty length', ok('Content-Length:'), 'bad-length'],
    ['[wire:response-framing]', 'chunked in HTTP/1.0', status('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked'), 'transfer-encoding-in-1.0'],
    ['[wire:response-framing]', 'chunked twice', ok('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'), 'many-transfer-encodings'],
    ['[wire:response-framing]', 'another coding', ok('Transfer-Encoding: gzip'), 'transfer-coding'],
    ['[wire:response-framing]', 'a coding before chunked', ok('Transfer-Encoding: gzip, chunked'), 'transfer-coding'],
  ])('%s refuses %s with a 502', (_rule, _case, text, reason) => {
    expect(readResponse(text).result).toEqual({ kind: 'refused', status: 502, reason })
    const each = text.length > 1_000 ? [7, 500, 16_000] : Array.from(text, (_, i) => i)
    expect(readResponse(text, GET, each).result).toEqual({ kind: 'refused', status: 502, reason })
  })

  it('[wire:response-unasked-upgrade] refuses a 101 that nobody asked for, of another protocol, or that names none', () => {
    const switching = (...lines: string[]) => status('HTTP/1.1 101 Switching Protocols', ...lines)
    const upgrade = ['Connection: Upgrade', 'Upgrade: WebSocket']
    expect(response(switching(...upgrade), WEBSOCKET)).toMatchObject({ status: 101, upgrade: 'websocket', body: { kind: 'none' } })
    const refused = { kind: 'refused', status: 502, reason: 'unasked-upgrade' }
    expect(readResponse(switching(...upgrade), GET).result).toEqual(refused)
    expect(readResponse(switching(), GET).result).toEqual(refused)
    expect(readResponse(switching('Connection: upgrade', 'Upgrade: h2c'), WEBSOCKET).result).toEqual(refused)
    expect(readResponse(switching('Upgrade: websocket'), WEBSOCKET).result).toEqual(refused)
    expect(readResponse(switching('Connection: upgrade'), WEBSOCKET).result).toEqual(refused)
    expect(readResponse(switching(...upgrade, 'Upgrade: websocket'), WEBSOCKET).result).toEqual(refused)
  })

  it('[wire:response-interim] takes ten interim heads before the final one, for each request, and no eleventh', () => {
    const reader = new ResponseHeadReader(DEFAULT_HEAD_LIMITS, 10)
    const interim = Buffer.from(status('HTTP/1.1 103 Early Hints', 'Link: </a>'))
    for (let exchange = 0; exchange < 2; exchange++) {
      reader.start(GET)
      for (let i = 0; i < 10; i++) expect(reader.push(interim, 0)).toMatchObject({ status: 103, body: { kind: 'none' } })
    }
    expect(reader.push(interim, 0)).toEqual({ kind: 'refused', status: 502, reason: 'too-many-interim' })
  })
})

describe('unusual valid responses', () => {
  it.each([
    ['[wire:response-status-line]', 'an empty reason', status('HTTP/1.1 200 ', 'Content-Length: 1'), GET, { status: 200, reason: '' }],
    [
      '[wire:response-status-line]',
      'no space before an empty reason',
      status('HTTP/1.1 200', 'Content-Length: 1'),
      GET,
      { status: 200, reason: '' },
    ],
    ['[wire:response-status-line]', 'a reason of bytes', status('HTTP/1.1 200 \xe4 \t b'), GET, { reason: '\xe4 \t b' }],
    ['[wire:response-status-line]', 'an unknown status', status('HTTP/1.1 599 X'), GET, { status: 599 }],
    ['[wire:response-status-line]', 'HTTP/1.9, read as 1.1', status('HTTP/1.9 200 OK', 'Content-Length: 1'), GET, { keepAlive: true }],
    [
      '[wire:response-no-body]',
      'HEAD with a length',
      ok('Content-Length: 5'),
      HEAD,
      { body: { kind: 'none', length: 0 }, keepAlive: true },
    ],
    ['[wire:response-no-body]', 'HEAD with chunks', ok('Transfer-Encoding: chunked'), HEAD, { body: { kind: 'none' }, keepAlive: true }],
    ['[wire:response-no-body]', 'HEAD without framing', ok(), HEAD, { body: { kind: 'none' }, keepAlive: true }],
    [
      '[wire:response-no-body]',
      '204 with chunks',
      status('HTTP/1.1 204 No Content', 'Transfer-Encoding: chunked'),
      GET,
      { body: { kind: 'none' } },
    ],
    [
      '[wire:response-no-body]',
      '304 with a length',
      status('HTTP/1.1 304 X', 'Content-Length: 5'),
      GET,
      { body: { kind: 'none' }, keepAlive: true },
    ],
    [
      '[wire:response-no-body]',
      '100 with a length',
      status('HTTP/1.1 100 X', 'Content-Length: 5'),
      GET,
      { status: 100, body: { kind: 'none' } },
    ],
    ['[wire:response-framing]', 'a length', ok('Content-Length: 5'), GET, { body: { kind: 'length', length: 5 }, keepAlive: true }],
    ['[wire:response-framing]', 'a length of 0', ok('Content-Length: 0'), GET, { body: { kind: 'none' }, keepAlive: true }],
    ['[wire:response-framing]', 'chunks', ok('transfer-encoding: Chunked\t'), GET, { body: { kind: 'chunked' }, keepAlive: true }],
    ['[wire:response-until-close]', 'neither length nor chunks', ok('A: b'), GET, { body: { kind: 'close' }, keepAlive: false }],
    ['[wire:response-until-close]', '205 without framing', status('HTTP/1.1 205 X'), GET, { body: { kind: 'close' } }],
    ['[wire:response-keep-alive]', 'Connection: close', ok('Content-Length: 1', 'Connection: Close'), GET, { keepAlive: false }],
    [
      '[wire:response-keep-alive]',
      'HTTP/1.0 that keeps alive',
      status('HTTP/1.0 200 OK', 'Content-Length: 1', 'Connection: keep-alive'),
      GET,
      { keepAlive: false },
    ],
    ['[wire:response-keep-alive]', 'a time', ok('Content-Length: 1', 'Keep-Alive: timeout=5, max=100'), GET, { keepAliveTimeout: 5_000 }],
    [
      '[wire:response-keep-alive]',
      'a time that comes last',
      ok('Content-Length: 1', 'keep-alive: max=100,Timeout=2'),
      GET,
      { keepAliveTimeout: 2_000 },
    ],
    [
      '[wire:response-keep-alive]',
      'a time that is none',
      ok('Content-Length: 1', 'Keep-Alive: timeout=soon'),
      GET,
      { keepAliveTimeout: undefined },
    ],
  ])('%s accepts %s', (_rule, _case, text, asked, expected) => {
    const { result, taken } = readResponse(text + 'body', asked)
    expect(result).toMatchObject({ kind: 'response', ...expected })
    expect(taken).toBe(text.length)
    const each = Array.from(text, (_, i) => i)
    expect(readResponse(text + 'body', asked, each)).toMatchObject({ taken: text.length, result: expected })
  })

  it('[wire:response-equal-lengths] reads equal lengths as one and forwards only the first', () => {
    const head = response(ok('Content-Length: 5', 'A: b', 'content-length: 5'))
    expect(head.body).toEqual({ kind: 'length', length: 5 })
    expect(head.fields.lines(true, false)).toBe('Content-Length: 5\r\nA: b\r\n')
  })

  it('[wire:response-no-length] takes the length out of 1xx and 204, and leaves it in 304 and in answers to HEAD', () => {
    expect(response(status('HTTP/1.1 204 X', 'Content-Length: 5', 'A: b')).fields.lines(true, false)).toBe('A: b\r\n')
    expect(response(status('HTTP/1.1 103 X', 'Content-Length: 5')).fields.lines(true, false)).toBe('')
    expect(response(status('HTTP/1.1 304 X', 'Content-Length: 5')).fields.lines(true, false)).toBe('Content-Length: 5\r\n')
    expect(response(ok('Content-Length: 5'), HEAD).fields.lines(true, false)).toBe('Content-Length: 5\r\n')
  })
})

describe('[wire:response-any-split] the response head reader', () => {
  it('takes arbitrary bytes without throwing, and gives the same result for any split', () => {
    const parts = fc.constantFrom(
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.1 204\r\n',
      'A: b\r\n',
      'Content-Length: 5\r\n',
      'Connection: close\r\n',
      '\r\n',
      '\r',
      '\n',
      ' ',
      '\0',
      'x',
    )
    const texts = fc.array(parts, { maxLength: 8 }).map((list) => list.join(''))
    fc.assert(
      fc.property(texts, fc.array(fc.nat({ max: 100 }), { maxLength: 10 }), (text, cuts) => {
        const plain = ({ result, taken }: ReturnType<typeof readResponse>) =>
          result?.kind === 'response' ? { ...result, fields: result.fields.entries(), taken } : result
        expect(plain(readResponse(text, GET, cuts))).toEqual(plain(readResponse(text, GET)))
      }),
      { numRuns: 1_000 },
    )
  })
})
