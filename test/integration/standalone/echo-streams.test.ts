/** The echo backend and what is no HTTP: bytes, TLS, datagrams. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DevelopmentCa } from '../../../src/standalone/development-ca.ts'
import { EchoBackend } from '../../../src/standalone/echo.ts'
import { eventually } from '../../harness/eventually.ts'
import { header1, header2 } from '../../harness/proxied.ts'
import { DatagramPeer, StreamClient } from '../../harness/streams.ts'

async function start(withCertificates = true) {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-echo-'))
  const ca = await DevelopmentCa.open(folder, Date.now())
  const backend = await EchoBackend.start('app', 'db', withCertificates ? (hostname) => ca.leaf(hostname, Date.now()) : undefined)
  onTestFinished(async () => {
    await backend.close()
    rmSync(folder, { recursive: true })
  })
  return { backend, ca: () => readFileSync(ca.certificatePath, 'utf8') }
}

describe('an echo backend', () => {
  it.each(['hello\n', 'PING\r\n', 'SELECT 1', '\0\x01\x02', 'get key\r\n'])('sends %j back, which is no HTTP', async (text) => {
    const { backend } = await start()
    const client = await StreamClient.plain(backend.port)
    client.socket.write(text.slice(0, 2))
    client.socket.write(text.slice(2))
    await client.hears(text)
    client.socket.write('more')
    await client.hears(`${text}more`)
    client.socket.end()
    await eventually(() => client.ended, 'FIN')
    expect(backend.requests).toBe(1)
  })

  it('sends what may yet become a request back when nothing more comes', async () => {
    const { backend } = await start()
    const client = await StreamClient.plain(backend.port)
    client.socket.end('PING')
    await client.hears('PING')
  })

  it('still answers requests', async () => {
    const { backend } = await start()
    const client = await StreamClient.plain(backend.port)
    client.socket.write('OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    await eventually(() => client.ended, 'the answer')
    expect(client.text()).toContain('"method":"OPTIONS"')
  })

  it('ends TLS with a certificate for the name that it is asked by, whatever is spoken in it', async () => {
    const { backend, ca } = await start()
    const socket = connectTls({ port: backend.port, host: '127.0.0.1', servername: 'db.example.com', ca: ca() })
    const client = new StreamClient(socket)
    socket.write('bytes')
    await client.hears('bytes')
    const second = connectTls({ port: backend.port, host: '127.0.0.1', servername: 'web.example.com', ca: ca() })
    const asking = new StreamClient(second)
    second.write('GET / HTTP/1.1\r\nhost: web.example.com\r\nconnection: close\r\n\r\n')
    await eventually(() => asking.ended, 'the answer')
    expect(asking.text()).toContain('"host":"web.example.com"')
  })

  it('ends a connection for whose name it has no certificate, and no other', async () => {
    const { backend } = await start(false)
    const client = new StreamClient(connectTls({ port: backend.port, host: '127.0.0.1', servername: 'a.example' }))
    await eventually(() => client.closed, 'the end')
    const other = new StreamClient(connect(backend.port, '127.0.0.1'))
    other.socket.write('x\n')
    await other.hears('x\n')
  })

  it('takes a header of the PROXY protocol off what is HTTP or TLS, and sends it back with other bytes', async () => {
    const { backend, ca } = await start()
    for (const header of [header1, header2]) {
      const asking = await StreamClient.plain(backend.port)
      asking.socket.write(header)
      asking.socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
      await eventually(() => asking.ended, 'the answer')
      expect(asking.text()).toContain('"host":"a"')

      const raw = connect(backend.port, '127.0.0.1')
      raw.write(header)
      const secured = new StreamClient(connectTls({ socket: raw, servername: 'db.example.com', ca: ca() }))
      secured.socket.write('bytes')
      await secured.hears('bytes')

      const plain = await StreamClient.plain(backend.port)
      plain.socket.write(Buffer.concat([header, Buffer.from('hello')]))
      await plain.hears(`${header.toString('latin1')}hello`)
    }
  })

  it('sends datagrams back', async () => {
    const { backend } = await start()
    const client = await DatagramPeer.open()
    client.send('a query', backend.port)
    expect(await client.hears(1)).toEqual(['a query'])
  })
})
