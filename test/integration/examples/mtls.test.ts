/** What the README of examples/mtls says of certificates, with those that its script makes. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../harness/eventually.ts'
import { ExampleCopy } from '../../harness/example-copy.ts'
import { RunningGateway } from '../../harness/running-gateway.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

it.skipIf(!hasOpenssl)('asks clients for a certificate, and shows one to the backend', { timeout: 30_000 }, async () => {
  const folder = new ExampleCopy('mtls').path
  const made = spawnSync('sh', [join(folder, 'certificates.sh')], { encoding: 'utf8' })
  expect(made.stdout, made.stderr).toBe('made certificates.yaml, client.pem, backend.pem and their keys\n')
  const backend = spawn(process.execPath, [join(folder, 'backend.mjs'), '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void backend.kill())
  let said = ''
  backend.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
  const port = await eventually(() => /^listens on (\d+)$/m.exec(said)?.[1], 'the port of the backend', 10_000)
  const gateway = await RunningGateway.start([folder, '--service', `shop/payments:443=127.0.0.1:${port}`])
  onTestFinished(async () => void (await gateway.close()))
  const place = gateway.listener('pay')
  const ask = (shown: { readonly cert?: Buffer; readonly key?: Buffer }): Promise<string> =>
    new Promise((resolve) => {
      const options = { host: '127.0.0.1', port: place.port, servername: 'pay.example.com', ca: gateway.authority, agent: false, ...shown }
      const asked = request({ ...options, headers: { host: 'pay.example.com' } }, (response) => {
        let body = ''
        response.on('data', (bytes: Buffer) => (body += bytes.toString()))
        response.on('end', () => resolve(`${response.statusCode} ${body.trim()}`))
      })
      asked.on('error', () => resolve('refused'))
      asked.end()
    })
  const client = { cert: readFileSync(join(folder, 'client.pem')), key: readFileSync(join(folder, 'client.key')) }
  expect(await ask(client)).toBe('200 {"service":"payments","askedBy":"edge-gateway"}')
  expect(await ask({})).toBe('refused')
})
