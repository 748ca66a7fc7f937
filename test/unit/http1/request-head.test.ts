import { describe, expect, it } from 'vitest'
import { DEFAULT_HEAD_LIMITS } from '../../../src/proxy/http1/codec.ts'
import { RequestHeadReader } from '../../../src/proxy/http1/request-head.ts'
import { readRequest, request } from './reading.ts'

/** A request line, Host, and further lines. */
function get(...lines: string[]): string {
  return ['GET / HTTP/1.1', 'Host: a.example', ...lines, '', ''].join('\r\n')
}

function post(...lines: string[]): string {
  return get(...lines).replace('GET', 'POST')
}

function withLine(line: string): string {
  return `${line}\r\nHost: a.example\r\n\r\n`
}

function withHost(host: string): string {
  return `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`
}

describe('ambiguous and malformed requests', () => {
  it.each([
    ['[wire:heads-request-line]', 'two spaces before the target', withLine('GET  / HTTP/1.1'), 400, 'bad-target'],
    ['[wire:heads-request-line]', 'two spaces before the version', withLine('GET /  HTTP/1.1'), 400, 'bad-version'],
    ['[wire:heads-request-line]', 'a tab for a space', withLine('GET\t/ HTTP/1.1'), 400, 'bad-method'],
    ['[wire:heads-request-line]', 'a tab before the version', withLine('GET /\tHTTP/1.1'), 400, 'bad-target'],
    ['[wire:heads-request-line]', 'a space at the end of the line', withLine('GET / HTTP/1.1 '), 400, 'bad-version'],
    ['[wire:heads-request-line]', 'a space at the start of the line', withLine(' GET / HTTP/1.1'), 400, 'bad-method'],
    ['[wire:heads-request-line]', 'no method', withLine('/ HTTP/1.1'), 400, 'bad-method'],
    ['[wire:heads-request-line]', 'a method that is no token', withLine('G(T / HTTP/1.1'), 400, 'bad-method'],
    ['[wire:heads-request-line]', 'a TLS ClientHello', '\x16\x03\x01\x02\x00\x01', 400, 'bad-method'],
    ['[wire:heads-pri]', 'the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'bad-method'],
    ['[wire:heads-empty-line]', 'two empty lines before the request', '\r\n\r\n' + get(), 400, 'bad-method'],
    ['[wire:heads-empty-line]', 'a bare LF before the request', '\n' + get(), 400, 'bare-lf'],
    ['[wire:heads-empty-line]', 'a CR before the request', '\rG' + get(), 400, 'bare-cr'],
    ['[wire:heads-empty-line]', 'NUL before the request', '\0' + get(), 400, 'bad-method'],
    ['[wire:heads-version]', 'HTTP/0.9 without a version', withLine('GET /'), 400, 'no-version'],
    ['[wire:heads-version]', 'HTTP/0.9 by name', withLine('GET / HTTP/0.9'), 400, 'bad-version'],
    ['[wire:heads-version]', 'a version in lower case', withLine('GET / http/1.1'), 400, 'bad-version'],
    ['[wire:heads-version]', 'a version with two digits', withLine('GET / HTTP/1.10'), 400, 'bad-version'],
    ['[wire:heads-version]', 'a version without a dot', withLine('GET / HTTP/11'), 400, 'bad-version'],
    ['[wire:heads-version]', 'another protocol', withLine('GET / HTCPCP/1.0'), 400, 'bad-version'],
    ['[wire:heads-version]', 'HTTP/2.0', withLine('GET / HTTP/2.0'), 505, 'version'],
    ['[wire:heads-version]', 'HTTP/3.1', withLine('GET / HTTP/3.1'), 505, 'version'],
    ['[wire:heads-bare-lf]', 'a bare LF after the request line', 'GET / HTTP/1.1\nHost: a.example\r\n\r\n', 400, 'bare-lf'],
    ['[wire:heads-bare-lf]', 'a bare LF after a field', 'GET / HTTP/1.1\r\nHost: a.example\n\r\n', 400, 'bare-lf'],
    ['[wire:heads-bare-lf]', 'a bare LF as the empty line', 'GET / HTTP/1.1\r\nHost: a.example\r\n\n', 400, 'bare-lf'],
    ['[wire:heads-bare-cr]', 'a bare CR in a value', get('A: b\rc'), 400, 'bare-cr'],
    ['[wire:heads-bare-cr]', 'a bare CR after the request line', 'GET / HTTP/1.1\rHost: a.example\r\n\r\n', 400, 'bad-version'],
    ['[wire:heads-bare-cr]', 'CR CR LF after a field', get('A: b\r'), 400, 'bare-cr'],
    ['[wire:heads-bare-cr]', 'a CR instead of the empty line', 'GET / HTTP/1.1\r\nHost: a.example\r\n\rX', 400, 'bare-cr'],
    ['[wire:heads-space-before-colon]', 'a space before the colon', get('Content-Length : 3'), 400, 'space-before-colon'],
    ['[wire:heads-space-before-colon]', 'a tab before the colon', get('A\t: 3'), 400, 'space-before-colon'],
    ['[wire:heads-obs-fold]', 'a folded line', get('A: b', ' c'), 400, 'obs-fold'],
    ['[wire:heads-obs-fold]', 'a line folded with a tab', get('A: b', '\tc'), 400, 'obs-fold'],
    ['[wire:heads-obs-fold]', 'a space before the first field', 'GET / HTTP/1.1\r\n Host: a.example\r\n\r\n', 400, 'obs-fold'],
    ['[wire:heads-name-token]', 'an empty name', get(': b'), 400, 'bad-name'],
    ['[wire:heads-name-token]', 'a line without a colon', get('Abc'), 400, 'bad-name'],
    ['[wire:heads-name-token]', 'a name with a slash', get('A/b: c'), 400, 'bad-name'],
    ['[wire:heads-name-token]', 'a name with a byte above 0x7F', get('\xe4: c'), 400, 'bad-name'],
    ['[wire:heads-name-token]', 'a name with NUL', get('A\0: c'), 400, 'bad-name'],
    ['[wire:heads-value-bytes]', 'NUL in a value', get('A: b\0c'), 400, 'bad-value'],
    ['[wire:heads-value-bytes]', 'VT in a value', get('A: b\x0bc'), 400, 'bad-value'],
    ['[wire:heads-value-bytes]', 'DEL in a value', get('A: b\x7f'), 400, 'bad-value'],
    ['[wire:heads-value-bytes]', 'ESC in a value', get('A: \x1b[0m'), 400, 'bad-value'],
    ['[wire:heads-host-missing]', 'no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'no-host'],
    ['[wire:heads-host-repeated]', 'two Hosts', get('Host: b.example'), 400, 'many-hosts'],
    ['[wire:heads-host-repeated]', 'two equal Hosts', get('host: a.example'), 400, 'many-hosts'],
    ['[wire:heads-host-repeated]', 'two Hosts in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n', 400, 'many-hosts'],
    ['[wire:heads-host-grammar]', 'an empty Host', withHost(''), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a Host with user information', withHost('user@a.example'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a Host with a path', withHost('a.example/b'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a Host with a space', withHost('a.example b.example'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a Host with a backslash', withHost('a\\b'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a Host with a question mark', withHost('a?b'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a Host with a byte above 0x7F', withHost('\xe4.example'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a Host with a broken triple', withHost('a%4.example'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a Host that ends inside a triple', withHost('a%4'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a Host with two ports', withHost('a:80:80'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a port that is no number', withHost('a:8x'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a port with a sign', withHost('a:+80'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a port above 65535', withHost('a:65536'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'only a port', withHost(':80'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'only a dot', withHost('.'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'two final dots', withHost('a.example..'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'an IPv6 address without brackets', withHost('::1'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'an unclosed bracket', withHost('[::1'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'brackets around a name', withHost('[a.example]'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'nine groups', withHost('[1:2:3:4:5:6:7:8:9]'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'two gaps', withHost('[1::2::3]'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a zone', withHost('[fe80::1%25eth0]'), 400, 'bad-host'],
    ['[wire:heads-host-grammar]', 'a name behind the bracket', withHost('[::1]a'), 400, 'bad-host'],
    ['[wire:targets-origin]', 'a target without a slash', withLine('GET a HTTP/1.1'), 400, 'bad-target'],
    ['[wire:targets-origin]', 'a target that is a query', withLine('GET ?a HTTP/1.1'), 400, 'bad-target'],
    ['[wire:targets-origin]', 'a fragment', withLine('GET /a#b HTTP/1.1'), 400, 'bad-target'],
    ['[wire:targets-origin]', 'NUL in the target', withLine('GET /\0 HTTP/1.1'), 400, 'bad-target'],
    ['[wire:targets-origin]', 'DEL in the target', withLine('GET /\x7f HTTP/1.1'), 400, 'bad-target'],
    ['[wire:targets-origin]', 'no target', withLine('GET HTTP/1.1'), 400, 'no-version'],
    ['[wire:targets-absolute]', 'another scheme', withLine('GET ftp://a.example/ HTTP/1.1'), 400, 'bad-target'],
    ['[wire:targets-absolute]', 'a scheme without slashes', withLine('GET http:a.example HTTP/1.1'), 400, 'bad-target'],
    ['[wire:targets-absolute]', 'user information in the target', withLine('GET http://u:p@a.example/ HTTP/1.1'), 400, 'bad-target'],
    ['[wire:targets-absolute]', 'an absolute target without a host', withLine('GET http:/// HTTP/1.1'), 400, 'bad-target'],
    ['[wire:targets-absolute]', 'an absolute target with a backslash', withLine('GET http://a.example\\b/ HTTP/1.1'), 400, 'bad-target'],
    ['[wire:targets-absolute]', 'a byte above 0x7F in the authority', withLine('GET http://\xe4.example/ HTTP/1.1'), 400, 'bad-target'],
    ['[wire:targets-absolute]', 'an absolute target of another host', withLine('GET http://b.example/ HTTP/1.1'), 400, 'hosts-differ'],
    ['[wire:targets-absolute]', 'an absolute target with another port', withLine('GET http://a.example:81/ HTTP/1.1'), 400, 'hosts-differ'],
    [
      '[wire:targets-absolute]',
      'the default port of the other scheme',
      withLine('GET https://a.example:80/ HTTP/1.1'),
      400,
      'hosts-differ',
    ],
    ['[wire:targets-asterisk]', '* with GET', withLine('GET * HTTP/1.1'), 400, 'bad-target'],
    ['[wire:targets-asterisk]', '** with OPTIONS', withLine('OPTIONS ** HTTP/1.1'), 400, 'bad-target'],
    ['[wire:targets-connect]', 'CONNECT', 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n', 405, 'connect'],
    ['[wire:heads-content-length]', 'a negative length', post('Content-Length: -1'), 400, 'bad-length'],
    ['[wire:heads-content-length]', 'a length with a sign', post('Content-Length: +1'), 400, 'bad-length'],
    ['[wire:heads-content-length]', 'an empty length', post('Content-Length:'), 400, 'bad-length'],
    ['[wire:heads-content-length]', 'a hexadecimal length', post('Content-Length: 0x10'), 400, 'bad-length'],
    ['[wire:heads-content-length]', 'a length with an exponent', post('Content-Length: 1e1'), 400, 'bad-length'],
    ['[wire:heads-content-length]', 'a length with a fraction', post('Content-Length: 1.0'), 400, 'bad-length'],
    ['[wire:heads-content-length]', 'a length with an underscore', post('Content-Length: 1_0'), 400, 'bad-length'],
    ['[wire:heads-content-length]', 'a length with a space', post('Content-Length: 1 0'), 400, 'bad-length'],
    ['[wire:heads-content-length]', 'a length with NBSP', post('Content-Length: 1\xa0'), 400, 'bad-length'],
    ['[wire:heads-content-length]', 'a length of 16 digits', post('Content-Length: 0000000000000001'), 400, 'bad-length'],
    ['[wire:heads-content-length]', 'a list of equal lengths', post('Content-Length: 5, 5'), 400, 'bad-length'],
    ['[wire:heads-content-length]', 'two lengths', post('Content-Length: 5', 'Content-Length: 6'), 400, 'many-lengths'],
    ['[wire:heads-content-length]', 'two equal lengths', post('Content-Length: 5', 'content-length: 5'), 400, 'many-lengths'],
    [
      '[wire:heads-transfer-encoding]',
      'chunked beside a length',
      post('Transfer-Encoding: chunked', 'Content-Length: 5'),
      400,
      'length-and-transfer-encoding',
    ],
    [
      '[wire:heads-transfer-encoding]',
      'chunked twice in two fields',
      post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
      400,
      'many-transfer-encodings',
    ],
    [
      '[wire:heads-transfer-encoding]',
      'chunked in HTTP/1.0',
      'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
      'transfer-encoding-in-1.0',
    ],
    ['[wire:heads-transfer-encoding]', 'chunked with VT', post('Transfer-Encoding: \x0bchunked'), 400, 'bad-value'],
    ['[wire:heads-transfer-encoding]', 'chunked with NBSP', post('Transfer-Encoding: chunked\xa0'), 400, 'bad-transfer-encoding'],
    ['[wire:heads-transfer-encoding]', 'an empty coding', post('Transfer-Encoding:'), 400, 'bad-transfer-encoding'],
    ['[wire:heads-transfer-encoding]', 'a comma first', post('Transfer-Encoding: ,chunked'), 400, 'bad-transfer-encoding'],
    ['[wire:heads-transfer-coding-unknown]', 'an unknown coding', post('Transfer-Encoding: gzip'), 501, 'transfer-coding'],
    ['[wire:heads-transfer-coding-unknown]', 'a coding before chunked', post('Transfer-Encoding: gzip, chunked'), 501, 'transfer-coding'],
    [
      '[wire:heads-transfer-coding-unknown]',
      'chunked before a coding',
      post('Transfer-Encoding: chunked, identity'),
      501,
      'transfer-coding',
    ],
    ['[wire:heads-transfer-coding-unknown]', 'a coding that ends in chunked', post('Transfer-Encoding: xchunked'), 501, 'transfer-coding'],
    ['[wire:heads-transfer-coding-unknown]', 'chunked with a parameter', post('Transfer-Encoding: chunked;a=b'), 501, 'transfer-coding'],
    ['[wire:heads-trace-body]', 'TRACE with a length', post('Content-Length: 5').replace('POST', 'TRACE'), 400, 'trace-body'],
    ['[wire:heads-trace-body]', 'TRACE with chunks', post('Transfer-Encoding: chunked').replace('POST', 'TRACE'), 400, 'trace-body'],
    ['[wire:heads-expect]', 'an unknown expectation', post('Expect: tea', 'Content-Length: 1'), 417, 'expect'],
    ['[wire:heads-expect]', 'an unknown expectation without a body', get('Expect: tea'), 417, 'expect'],
    ['[wire:heads-expect]', 'two expectations', post('Expect: 100-continue, tea', 'Content-Length: 1'), 417, 'expect'],
    ['[wire:heads-expect]', 'two Expect fields', post('Expect: 100-continue', 'Expect: 100-continue', 'Content-Length: 1'), 417, 'expect'],
  ])('%s refuses %s', (_rule, _case, text, status, reason) => {
    const { result } = readRequest(text)
    expect(result).toMatchObject({ kind: 'refused', status, reason })
  })
})

describe('unusual valid requests', () => {
  it.each([
    ['[wire:heads-method]', 'a method of our own', withLine('FOO / HTTP/1.1'), { method: 'FOO' }],
    ['[wire:heads-method]', 'a method in lower case, another one', withLine('get / HTTP/1.1'), { method: 'get' }],
    ['[wire:heads-method]', 'a method of odd tokens', withLine("!#$%&'*+-.^_`|~9 / HTTP/1.1"), { method: "!#$%&'*+-.^_`|~9" }],
    ['[wire:heads-method]', 'a method of one letter', withLine('P / HTTP/1.1'), { method: 'P' }],
    ['[wire:heads-method]', 'TRACE', withLine('TRACE / HTTP/1.1'), { method: 'TRACE' }],
    [
      '[wire:heads-method]',
      'TRACE with a length of 0',
      post('Content-Length: 0').replace('POST', 'TRACE'),
      { method: 'TRACE', body: { kind: 'none', length: 0 } },
    ],
    ['[wire:heads-empty-line]', 'one empty line before it', '\r\n' + get(), { method: 'GET' }],
    ['[wire:heads-version]', 'HTTP/1.0', withLine('GET / HTTP/1.0'), { http10: true, keepAlive: false }],
    ['[wire:heads-version]', 'HTTP/1.2, read as 1.1', withLine('GET / HTTP/1.2'), { http10: false, keepAlive: true }],
    ['[wire:heads-version]', 'HTTP/1.9, read as 1.1', withLine('GET / HTTP/1.9'), { http10: false }],
    ['[wire:heads-version]', 'HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n', { host: '', authority: '' }],
    ['[wire:heads-host-lenient]', 'an empty port', withHost('a.example:'), { host: 'a.example', authority: 'a.example:' }],
    ['[wire:heads-host-lenient]', 'a port', withHost('a.example:8080'), { host: 'a.example', authority: 'a.example:8080' }],
    ['[wire:heads-host-lenient]', 'upper case', withHost('A.Example'), { host: 'a.example', authority: 'A.Example' }],
    ['[wire:heads-host-lenient]', 'one final dot', withHost('a.example.'), { host: 'a.example', authority: 'a.example.' }],
    ['[wire:heads-host-lenient]', 'a final dot and a port', withHost('a.example.:80'), { host: 'a.example' }],
    ['[wire:heads-host-lenient]', 'an underscore', withHost('my_app.example'), { host: 'my_app.example' }],
    ['[wire:heads-host-lenient]', 'an IPv4 address', withHost('127.0.0.1:80'), { host: '127.0.0.1' }],
    ['[wire:heads-host-lenient]', 'an IPv6 address', withHost('[::1]:80'), { host: '[::1]' }],
    ['[wire:heads-host-lenient]', 'an IPv6 address in capitals', withHost('[2001:DB8::A]'), { host: '[2001:db8::a]' }],
    ['[wire:heads-host-lenient]', 'an IPv4 address in an IPv6 one', withHost('[::ffff:127.0.0.1]'), { host: '[::ffff:127.0.0.1]' }],
    ['[wire:heads-host-lenient]', 'a full IPv6 address', withHost('[1:2:3:4:5:6:7:8]'), { host: '[1:2:3:4:5:6:7:8]' }],
    ['[wire:heads-host-lenient]', 'an address of the future', withHost('[v1.a:b]'), { host: '[v1.a:b]' }],
    ['[wire:heads-host-lenient]', 'a triple in the host', withHost('%41.example'), { host: '%41.example' }],
    ['[wire:heads-host-lenient]', 'sub-delims in the host', withHost("a!$&'()*+,;=b"), { host: "a!$&'()*+,;=b" }],
    ['[wire:heads-host-lenient]', 'white space around the host', withHost(' \t a.example \t'), { authority: 'a.example' }],
    [
      '[wire:targets-origin]',
      'raw characters that browsers send',
      withLine('GET /[a]{b}|^\\\'`"<> HTTP/1.1'),
      { path: '/[a]{b}|^\\\'`"<>' },
    ],
    ['[wire:targets-origin]', 'a query with a question mark', withLine('GET /a?b?c HTTP/1.1'), { path: '/a', search: '?b?c' }],
    ['[wire:targets-origin]', 'an empty query', withLine('GET /a? HTTP/1.1'), { path: '/a', search: '?' }],
    ['[wire:targets-origin]', 'two slashes', withLine('GET //a.example/b HTTP/1.1'), { path: '//a.example/b', host: 'a.example' }],
    ['[wire:targets-origin]', 'a broken triple, which only the path rules refuse', withLine('GET /%4 HTTP/1.1'), { path: '/%4' }],
    [
      '[wire:targets-high-bytes]',
      'bytes above 0x7F in the target',
      withLine('GET /\xe4?\xff\x80 HTTP/1.1'),
      { path: '/%E4', search: '?%FF%80' },
    ],
    [
      '[wire:targets-absolute]',
      'absolute-form',
      withLine('GET http://a.example/b?c HTTP/1.1'),
      { path: '/b', search: '?c', scheme: 'http', authority: 'a.example' },
    ],
    ['[wire:targets-absolute]', 'absolute-form without a path', withLine('GET http://a.example HTTP/1.1'), { path: '/', search: '' }],
    [
      '[wire:targets-absolute]',
      'absolute-form with a query only',
      withLine('GET http://a.example?b HTTP/1.1'),
      { path: '/', search: '?b' },
    ],
    [
      '[wire:targets-absolute]',
      'absolute-form in capitals',
      withLine('GET HTTPS://A.EXAMPLE/ HTTP/1.1'),
      { scheme: 'https', host: 'a.example', authority: 'A.EXAMPLE' },
    ],
    [
      '[wire:targets-absolute]',
      'absolute-form with the default port',
      withLine('GET http://a.example:80/ HTTP/1.1'),
      { host: 'a.example', authority: 'a.example:80' },
    ],
    ['[wire:targets-absolute]', 'absolute-form with an empty port', withLine('GET https://a.example:/ HTTP/1.1'), { host: 'a.example' }],
    [
      '[wire:targets-absolute]',
      'absolute-form in HTTP/1.0 without Host',
      'GET http://a.example/ HTTP/1.0\r\n\r\n',
      { host: 'a.example', http10: true },
    ],
    ['[wire:targets-absolute]', 'OPTIONS of an absolute-form target', withLine('OPTIONS http://a.example HTTP/1.1'), { path: '/' }],
    ['[wire:targets-asterisk]', 'OPTIONS *', withLine('OPTIONS * HTTP/1.1'), { path: '*', search: '' }],
    [
      '[wire:heads-content-length]',
      'a length of 15 digits',
      post('Content-Length: 999999999999999'),
      { body: { kind: 'length', length: 999_999_999_999_999 } },
    ],
    ['[wire:heads-content-length]', 'a length with zeros in front', post('Content-Length: 007'), { body: { kind: 'length', length: 7 } }],
    ['[wire:heads-content-length]', 'a length of 0', post('Content-Length: 0'), { body: { kind: 'none', length: 0 } }],
    [
      '[wire:heads-content-length]',
      'a length with white space around it',
      post('Content-Length: \t 5 \t'),
      { body: { kind: 'length', length: 5 } },
    ],
    ['[wire:heads-content-length]', 'a GET with a body', get('Content-Length: 5'), { body: { kind: 'length', length: 5 } }],
    ['[wire:heads-content-length]', 'a POST without a length', post(), { body: { kind: 'none', length: 0 } }],
    ['[wire:heads-transfer-encoding]', 'chunked', post('Transfer-Encoding: chunked'), { body: { kind: 'chunked', length: 0 } }],
    [
      '[wire:heads-transfer-encoding]',
      'Chunked with white space',
      post('transfer-encoding:\t ChunKed \t'),
      { body: { kind: 'chunked', length: 0 } },
    ],
    [
      '[wire:heads-transfer-encoding]',
      'DELETE with chunks',
      post('Transfer-Encoding: chunked').replace('POST', 'DELETE'),
      { body: { kind: 'chunked' } },
    ],
    ['[wire:heads-expect]', 'Expect', post('Expect: 100-Continue', 'Content-Length: 1'), { expectContinue: true }],
    ['[wire:heads-expect]', 'Expect without a body', get('Expect: 100-continue'), { expectContinue: false }],
    ['[wire:heads-expect]', 'Expect with a length of 0', post('Expect: 100-continue', 'Content-Length: 0'), { expectContinue: false }],
    [
      '[wire:heads-expect]',
      'Expect in HTTP/1.0',
      'POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n',
      { expectContinue: false },
    ],
    [
      '[wire:heads-expect]',
      'an unknown expectation in HTTP/1.0',
      'POST / HTTP/1.0\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n',
      { expectContinue: false },
    ],
    ['[wire:heads-keep-alive]', 'Connection: close', get('Connection: close'), { keepAlive: false }],
    ['[wire:heads-keep-alive]', 'Connection: CLOSE in a list', get('Connection: x, CLOSE ,'), { keepAlive: false }],
    ['[wire:heads-keep-alive]', 'close in a second Connection', get('Connection: keep-alive', 'Connection: close'), { keepAlive: false }],
    ['[wire:heads-keep-alive]', 'an empty Connection', get('Connection:'), { keepAlive: true }],
    ['[wire:heads-keep-alive]', 'Connection: closed', get('Connection: closed'), { keepAlive: true }],
    ['[wire:heads-keep-alive]', 'keep-alive in HTTP/1.0', 'GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n', { keepAlive: true }],
    [
      '[wire:heads-keep-alive]',
      'keep-alive and close in HTTP/1.0',
      'GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n',
      { keepAlive: false },
    ],
    [
      '[wire:heads-keep-alive]',
      'Proxy-Connection means nothing',
      'GET / HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n',
      { keepAlive: false },
    ],
    ['[wire:heads-te]', 'TE: trailers', get('TE: trailers'), { teTrailers: true }],
    ['[wire:heads-te]', 'trailers in a list', get('TE: gzip;q=0.5, Trailers'), { teTrailers: true }],
    ['[wire:heads-te]', 'other codings', get('TE: trailersx, gzip'), { teTrailers: false }],
    ['[wire:heads-upgrade]', 'a WebSocket', get('Connection: keep-alive, Upgrade', 'Upgrade: WebSocket'), { upgrade: 'websocket' }],
    ['[wire:heads-upgrade]', 'an upgrade with a version', get('Connection: upgrade', 'Upgrade: foo/2'), { upgrade: 'foo/2' }],
    ['[wire:heads-upgrade]', 'an upgrade that Connection does not name', get('Upgrade: websocket'), { upgrade: '' }],
    ['[wire:heads-upgrade]', 'an upgrade without Upgrade', get('Connection: upgrade'), { upgrade: '' }],
    ['[wire:heads-upgrade]', 'an upgrade by POST', post('Connection: upgrade', 'Upgrade: websocket'), { upgrade: '' }],
    [
      '[wire:heads-upgrade]',
      'an upgrade with a body',
      get('Connection: upgrade', 'Upgrade: websocket', 'Content-Length: 3'),
      { upgrade: '' },
    ],
    [
      '[wire:heads-upgrade]',
      'an upgrade in HTTP/1.0',
      'GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
      { upgrade: '' },
    ],
    ['[wire:heads-upgrade]', 'several protocols', get('Connection: upgrade', 'Upgrade: foo, websocket'), { upgrade: '' }],
    [
      '[wire:heads-upgrade]',
      'several Upgrade fields',
      get('Connection: upgrade', 'Upgrade: websocket', 'Upgrade: websocket'),
      { upgrade: '' },
    ],
    ['[wire:heads-h2c]', 'h2c', get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'), { upgrade: '' }],
  ])('%s accepts %s', (_rule, _case, text, expected) => {
    const { result, taken } = readRequest(text + 'next')
    expect(result).toMatchObject({ kind: 'request', ...expected })
    expect(taken).toBe(text.length)
  })

  it('[wire:heads-value-bytes] keeps HTAB and bytes above 0x7F in values as they came', () => {
    const { fields } = request(get('A: \t b\tc \xe4\xff\x80  ', 'B:', 'C:\t'))
    expect(fields.entries().slice(1)).toEqual([
      ['A', 'b\tc \xe4\xff\x80'],
      ['B', ''],
      ['C', ''],
    ])
  })

  it('[wire:heads-name-token] accepts every token as a name, __proto__ too', () => {
    const { fields } = request(get('__proto__: a', 'constructor: b', "!#$%&'*+-.^_`|~0: c"))
    expect(fields.get('__proto__')).toBe('a')
    expect(fields.get('constructor')).toBe('b')
    expect(fields.get("!#$%&'*+-.^_`|~0")).toBe('c')
    expect(fields.get("!#$%&'*+-.~_`|~0")).toBeUndefined()
    expect(fields.get('tostring')).toBeUndefined()
  })
})

describe('limits', () => {
  const line = (length: number) => 'GET /'.padEnd(length - ' HTTP/1.1'.length, 'a') + ' HTTP/1.1'

  it('[wire:heads-line-limit] takes a request line of exactly the limit and answers 414 to a longer one', () => {
    expect(readRequest(withLine(line(16_384))).result).toMatchObject({ kind: 'request' })
    expect(readRequest(withLine(line(16_385))).result).toMatchObject({ status: 414, reason: 'line-too-long' })
    expect(readRequest('A'.repeat(16_385)).result).toMatchObject({ status: 414 })
  })

  it('[wire:heads-size-limit] takes a head of exactly the limit and answers 431 to a larger one', () => {
    const empty = get('A: ').length
    const largest = get('A: ' + 'b'.repeat(65_536 - empty))
    expect(largest.length).toBe(65_536)
    expect(readRequest(largest).result).toMatchObject({ kind: 'request' })
    expect(readRequest(get('A: ' + 'b'.repeat(65_537 - empty))).result).toMatchObject({ status: 431, reason: 'head-too-large' })
    expect(readRequest(largest, [100, 30_000]).result).toMatchObject({ kind: 'request' })
  })

  it('[wire:heads-count-limit] takes 128 fields and answers 431 to one more', () => {
    const lines = Array.from({ length: 127 }, (_, i) => `a${i}: b`)
    expect(readRequest(get(...lines)).result).toMatchObject({ kind: 'request' })
    expect(readRequest(get(...lines, 'x: y')).result).toMatchObject({ status: 431, reason: 'too-many-fields' })
  })
})

describe('heads in pieces', () => {
  it.each([
    ['a bad byte in the method', 'G\0', 400],
    ['CONNECT', 'CONNECT ', 405],
    ['a bad byte in the target', 'GET /\n', 400],
    ['a bad version', 'GET / HTTX', 400],
    ['a version that we do not speak', 'GET / HTTP/2.0\r\n', 505],
    ['a folded line', 'GET / HTTP/1.1\r\n ', 400],
    ['a bad byte in a name', 'GET / HTTP/1.1\r\nHo st', 400],
    ['a bad byte in a value', 'GET / HTTP/1.1\r\nHost: a\0', 400],
    ['a line that is too long', 'GET /' + 'a'.repeat(16_384), 414],
    ['a head that is too large', 'GET / HTTP/1.1\r\nA: ' + 'a'.repeat(65_536), 431],
  ])('[wire:heads-early] refuses %s without waiting for the end, even byte by byte', (_, text, status) => {
    expect(readRequest(text).result).toMatchObject({ status })
    const every = Array.from({ length: text.length }, (_unused, i) => i)
    expect(readRequest(text, every).result).toMatchObject({ status })
  })

  it('[wire:heads-pipelining] reads one request at a time and says where the next one begins', () => {
    const reader = new RequestHeadReader(DEFAULT_HEAD_LIMITS)
    const bytes = Buffer.from(get('A: 1') + get('A: 2').replace('GET', 'PUT') + '\r\n' + withLine('HEAD /x HTTP/1.0'), 'latin1')
    const seen: unknown[] = []
    for (let at = 0; at < bytes.length; at = reader.next) {
      const head = reader.push(bytes, at)
      if (head?.kind !== 'request') throw new Error('Cannot go on: the head must be valid')
      seen.push([head.method, head.path, head.fields.get('a')])
    }
    expect(seen).toEqual([
      ['GET', '/', '1'],
      ['PUT', '/', '2'],
      ['HEAD', '/x', undefined],
    ])
  })

  it('tells whether a head has begun, so that its time can be bounded; an empty line does not count', () => {
    const reader = new RequestHeadReader(DEFAULT_HEAD_LIMITS)
    reader.push(Buffer.from('\r\n'), 0)
    expect(reader.started).toBe(false)
    reader.push(Buffer.from('G'), 0)
    expect(reader.started).toBe(true)
    reader.push(Buffer.from(get().slice(1)), 0)
    expect(reader.started).toBe(false)
  })
})

describe('[wire:heads-bounded-work] the work for a head of 64 KiB', () => {
  const most = 65_000
  it.each([
    ['one long value', get('A: ' + 'a'.repeat(most))],
    ['a coding with a bad byte at its end', post('Transfer-Encoding: ' + 'a'.repeat(most) + '(')],
    ['a protocol with a bad byte at its end', get('Connection: upgrade', 'Upgrade: ' + 'a'.repeat(most) + '(')],
    ['a Connection of many names', get('Connection: ' + 'a,'.repeat(most / 2))],
    ['a TE of many members', get('TE: ' + 'a,'.repeat(most / 2))],
    ['a Host of many colons', withHost('[' + ':'.repeat(most) + ']')],
    ['a Host of many groups', withHost('[' + '1:'.repeat(most / 2) + ']')],
    ['an unclosed bracket', withHost('['.repeat(most))],
    ['white space in every line', get(...Array.from({ length: 120 }, () => 'A:' + ' '.repeat(500)))],
  ])('is far from quadratic: %s', (_, text) => {
    const start = performance.now()
    readRequest(text)
    // A few milliseconds at most; what is quadratic takes seconds.
    expect(performance.now() - start).toBeLessThan(500)
  })
})
