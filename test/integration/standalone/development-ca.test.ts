import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import type { Leaf } from '../../../src/standalone/development-ca.ts'
import { DevelopmentCa } from '../../../src/standalone/development-ca.ts'

const day = 24 * 60 * 60 * 1000
const now = Date.now()
const folders: string[] = []

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'gatewright-ca-'))
  folders.push(made)
  return made
}

afterAll(async () => {
  await Promise.all(folders.map((path) => rm(path, { recursive: true, force: true })))
})

const pemOf = (leaf: Leaf, name: 'tls.crt' | 'tls.key') => Buffer.from(leaf.data[name], 'base64').toString()

/** What a client that trusts `ca` thinks of a server with `leaf` when it asks for `host`: 'verified', or the error. */
async function handshake(ca: string, leaf: Leaf, host: string): Promise<string> {
  const server = createServer({ cert: pemOf(leaf, 'tls.crt'), key: pemOf(leaf, 'tls.key') })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    return await new Promise<string>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, ca, ...(host === '127.0.0.1' ? {} : { servername: host }) }, () => {
        resolve(socket.authorized ? 'verified' : 'not authorised')
        socket.destroy()
      })
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    })
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

describe('the development CA', () => {
  it('signs leaves that a client verifies for their hostname and for no other', async () => {
    const ca = await DevelopmentCa.open(await folder(), now)
    const trusted = await readFile(ca.certificatePath, 'utf8')
    const exact = await ca.leaf('myapp.example.com', now)
    expect(await handshake(trusted, exact, 'myapp.example.com')).toBe('verified')
    expect(await handshake(trusted, exact, 'other.example.com')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    const wildcard = await ca.leaf('*.example.com', now)
    expect(await handshake(trusted, wildcard, 'any.example.com')).toBe('verified')
    expect(await handshake(trusted, wildcard, 'example.com')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    const local = await ca.leaf('localhost', now)
    expect(await handshake(trusted, local, 'localhost')).toBe('verified')
    expect(await handshake(trusted, local, '127.0.0.1')).toBe('verified')
    const stranger = await DevelopmentCa.open(await folder(), now)
    expect(await handshake(await readFile(stranger.certificatePath, 'utf8'), exact, 'myapp.example.com')).toMatch(/UNABLE_TO_(VERIFY|GET)/)
  })

  it('makes an authority that signs leaves only, and leaves that sign nothing', async () => {
    const ca = await DevelopmentCa.open(await folder(), now)
    const authority = new X509Certificate(await readFile(ca.certificatePath))
    const leaf = new X509Certificate(pemOf(await ca.leaf('a.example.com', now), 'tls.crt'))
    expect(authority.ca).toBe(true)
    expect(authority.subject).toMatch(/^CN=Gatewright development CA [0-9a-f]{8}$/)
    expect(leaf.ca).toBe(false)
    expect(leaf.issuer).toBe(authority.subject)
    expect(leaf.checkIssued(authority)).toBe(true)
    expect(leaf.subjectAltName).toBe('DNS:a.example.com')
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect((Date.parse(leaf.validTo) - now) / day).toBeLessThan(398)
  })

  it('takes hostnames as long as they come', async () => {
    const ca = await DevelopmentCa.open(await folder(), now)
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example.com`
    expect(new X509Certificate(pemOf(await ca.leaf(long, now), 'tls.crt')).subjectAltName).toBe(`DNS:${long}`)
  })

  it('keeps its keys where only the user reads them', async () => {
    const path = await folder()
    const ca = await DevelopmentCa.open(path, now)
    await ca.leaf('*.example.com', now)
    const mode = async (name: string) => ((await stat(join(path, name))).mode & 0o777).toString(8)
    expect(await mode('ca/ca-key.pem')).toBe('600')
    expect(await mode('leaves/wildcard.example.com.pem')).toBe('600')
    expect(await readFile(ca.certificatePath, 'utf8')).not.toContain('PRIVATE KEY')
  })

  it('is the same CA with the same leaves in the next run, until they are about to expire', async () => {
    const path = await folder()
    const first = await DevelopmentCa.open(path, now)
    const leaf = await first.leaf('a.example.com', now)
    expect(await first.leaf('a.example.com', now + 300 * day)).toBe(leaf)
    const second = await DevelopmentCa.open(path, now)
    expect(await second.leaf('a.example.com', now)).toEqual(leaf)
    const renewed = await second.leaf('a.example.com', now + 380 * day)
    expect(renewed).not.toEqual(leaf)
    const trusted = await readFile(first.certificatePath, 'utf8')
    expect(new X509Certificate(pemOf(renewed, 'tls.crt')).verify(new X509Certificate(trusted).publicKey)).toBe(true)
    expect(await readdir(join(path, 'leaves'))).toEqual(['a.example.com.pem'])
  })

  it('is made anew with its leaves when it expires, or when its files are not what they were', async () => {
    const path = await folder()
    const first = await DevelopmentCa.open(path, now)
    const trusted = await readFile(first.certificatePath, 'utf8')
    const leaf = await first.leaf('a.example.com', now)
    await writeFile(join(path, 'ca', 'ca-key.pem'), 'not a key')
    const second = await DevelopmentCa.open(path, now)
    expect(await readFile(second.certificatePath, 'utf8')).not.toBe(trusted)
    expect(await second.leaf('a.example.com', now)).not.toEqual(leaf)
    const other = await readFile(second.certificatePath, 'utf8')
    await DevelopmentCa.open(path, now + 3640 * day)
    expect(await readFile(second.certificatePath, 'utf8')).not.toBe(other)
    expect((await readdir(path)).sort()).toEqual(['ca', 'leaves'])
  })

  it('is one CA for processes that start together', async () => {
    const path = await folder()
    const opened = await Promise.all([1, 2, 3, 4].map(() => DevelopmentCa.open(path, now)))
    const leaves = await Promise.all(opened.map((ca, index) => ca.leaf(`${index}.example.com`, now)))
    const authority = new X509Certificate(await readFile(join(path, 'ca', 'ca.pem')))
    expect(leaves.map((leaf) => new X509Certificate(pemOf(leaf, 'tls.crt')).verify(authority.publicKey))).toEqual([true, true, true, true])
    expect((await readdir(path)).sort()).toEqual(['ca', 'leaves'])
  })

  it('says so when its folder cannot be used', async () => {
    const path = await folder()
    await writeFile(join(path, 'file'), '')
    await expect(DevelopmentCa.open(join(path, 'file'), now)).rejects.toThrow(/ENOTDIR|EEXIST/)
  })
})
