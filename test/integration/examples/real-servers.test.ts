/** What the READMEs of examples/tcp and examples/udp say of a real database and a real name server, where these are installed (.ci/prepare does). */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { promises as dns } from 'node:dns'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../harness/data-plane.ts'
import { pause } from '../../harness/eventually.ts'
import { RunningGateway } from '../../harness/running-gateway.ts'

const nobody = 65_534
const isRoot = process.getuid?.() === 0

/** Debian keeps each version in a folder of its own, and none in PATH. */
function postgresFolder(): string | undefined {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root) : []
  return versions.map((version) => join(root, version, 'bin')).find((folder) => existsSync(join(folder, 'initdb')))
}

function inPath(name: string): string | undefined {
  return ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin'].map((folder) => join(folder, name)).find((path) => existsSync(path))
}

function stopAtEnd(child: ChildProcess): void {
  onTestFinished(async () => {
    child.kill('SIGINT')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
}

const postgres = postgresFolder()
const psql = inPath('psql')
const dnsmasq = inPath('dnsmasq')

describe.skipIf(postgres === undefined || psql === undefined)('PostgreSQL behind a TCPRoute', () => {
  it('answers through gatewright run', { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatewright-postgres-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    chmodSync(folder, 0o755)
    const data = join(folder, 'data')
    // It refuses to run as root.
    const as = isRoot ? { uid: nobody, gid: nobody } : {}
    if (isRoot) chownSync(folder, nobody, nobody)
    const made = spawnSync(join(postgres ?? '', 'initdb'), ['-D', data, '-U', 'me', '-A', 'trust', '--no-sync'], {
      ...as,
      encoding: 'utf8',
    })
    expect(made.status, made.stderr).toBe(0)
    const port = await freePort()
    const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off', '-k', folder]
    stopAtEnd(spawn(join(postgres ?? '', 'postgres'), ['-D', data, '-p', `${port}`, ...settings], { ...as, stdio: 'ignore' }))
    const gateway = await RunningGateway.start([
      'examples/tcp',
      '--service',
      `data/postgres:5432=127.0.0.1:${port}`,
      '--service',
      `data/postgres-next:5432=127.0.0.1:${port}`,
    ])
    onTestFinished(async () => void (await gateway.close()))
    const place = gateway.listener('postgres').port
    const ask = async (query: string): Promise<string> => {
      const args = ['-h', '127.0.0.1', '-p', `${place}`, '-U', 'me', '-d', 'postgres', '-Atc', query]
      const child = spawn(psql ?? '', args, { env: { ...process.env, PGCONNECT_TIMEOUT: '5' } })
      let said = ''
      child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
      await once(child, 'close')
      return said.trim()
    }
    for (let tries = 0; tries < 100 && (await ask('select 1')) !== '1'; tries += 1) await pause(100)
    expect(await Promise.all(Array.from({ length: 10 }, (_, i) => ask(`select ${i} + 1`)))).toEqual(
      Array.from({ length: 10 }, (_, i) => `${i + 1}`),
    )
    expect((await ask("select repeat('x', 2000000)")).length).toBe(2_000_000)
  })
})

describe.skipIf(dnsmasq === undefined)('a name server behind a UDPRoute', () => {
  it('answers through gatewright run, by TCP what is too long for a datagram', { timeout: 30_000 }, async () => {
    const port = await freePort()
    const long = Array.from({ length: 40 }, (_, i) => `--txt-record=long.test,${`${i} `.padEnd(100, 'x')}`)
    const options = ['--no-daemon', '--no-resolv', '--no-hosts', '--listen-address=127.0.0.1', '--bind-interfaces', '--conf-file=/dev/null']
    const names = ['--address=/answer.test/192.0.2.7', ...long]
    stopAtEnd(spawn(dnsmasq ?? '', [...options, `--port=${port}`, '--user=root', '--pid-file=', ...names], { stdio: 'ignore' }))
    const gateway = await RunningGateway.start(['examples/udp', '--service', `dns/resolver:53=127.0.0.1:${port}`])
    onTestFinished(async () => void (await gateway.close()))
    const places = [gateway.listener('dns').port, gateway.listener('dns-tcp').port]
    expect(places[0]).toBe(places[1])
    const resolver = new dns.Resolver({ timeout: 500, tries: 10 })
    resolver.setServers([`127.0.0.1:${places[0]}`])
    expect(await resolver.resolve4('answer.test')).toEqual(['192.0.2.7'])
    expect(await Promise.all(Array.from({ length: 50 }, (_, i) => resolver.resolve4(`n${i}.answer.test`)))).toEqual(
      Array.from({ length: 50 }, () => ['192.0.2.7']),
    )
    expect(await resolver.resolveTxt('long.test')).toHaveLength(40)
  })
})
