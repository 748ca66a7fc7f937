/** Who we are to the API server, in the forms that the field has. */
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { KubeClient } from '../../../src/kube/client.ts'
import { connect } from '../../../src/kube/connect.ts'
import { type Credentials, loadCredentials } from '../../../src/kube/credentials.ts'
import { delay } from '../../../src/kube/delay.ts'
import { KubeError } from '../../../src/kube/kube-error.ts'
import type { Resource } from '../../../src/kube/kube-api.ts'
import { makeAuthority, makeClientLeaf, makeLeaf } from '../../../src/x509/certificate.ts'
import { scriptedApi } from '../../harness/kube.ts'
import { folder } from '../../unit/sources/folder.ts'

const services: Resource = { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true }
const web = { namespace: 'shop', name: 'web' }

interface Config {
  readonly server: string
  readonly cluster?: object
  readonly user?: object
}

/** JSON is YAML. */
function kubeconfig({ server, cluster = {}, user = {} }: Config): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    clusters: [
      { name: 'one', cluster: { server, ...cluster } },
      { name: 'other', cluster: { server: 'https://other.example' } },
    ],
    users: [{ name: 'me', user }],
    contexts: [
      { name: 'here', context: { cluster: 'one', user: 'me', namespace: 'shop' } },
      { name: 'there', context: { cluster: 'other', user: 'me' } },
      { name: 'nowhere', context: { cluster: 'none', user: 'me' } },
    ],
  })
}

function clientWith(credentials: Credentials): KubeClient {
  const client = new KubeClient({ credentials, userAgent: 'test', random: Math.random, delay: () => delay(1) })
  onTestFinished(() => client.close())
  return client
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => undefined).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(KubeError)
  return (error as KubeError).message
}

describe('a kubeconfig', () => {
  it('says where the server is, and in which namespace a command works', async () => {
    const place = folder({ config: kubeconfig({ server: 'https://api.example:6443/base/' }) })
    const credentials = await loadCredentials({ kubeconfig: join(place.path, 'config') })
    expect(credentials).toMatchObject({ server: 'https://api.example:6443/base', namespace: 'shop' })
    const there = await loadCredentials({ kubeconfig: join(place.path, 'config'), context: 'there' })
    expect(there).toMatchObject({ server: 'https://other.example', namespace: undefined })
  })

  it('that lacks what is asked for is refused in one line', async () => {
    const place = folder({ config: kubeconfig({ server: 'https://api.example' }), bad: ': [' })
    const path = join(place.path, 'config')
    expect(await messageOf(loadCredentials({ kubeconfig: path, context: 'x' }))).toBe(
      'Cannot reach the API server: context "x" must be one of here, there, nowhere',
    )
    expect(await messageOf(loadCredentials({ kubeconfig: path, context: 'nowhere' }))).toBe(
      `Cannot reach the API server: context "nowhere" of ${path} must name a cluster with a server`,
    )
    expect(await messageOf(loadCredentials({ kubeconfig: join(place.path, 'none') }))).toMatch(
      /^Cannot reach the API server: .*none must be readable: ENOENT/,
    )
    expect(await messageOf(loadCredentials({ kubeconfig: join(place.path, 'bad') }))).toMatch(/must be readable/)
  })

  it('is found by KUBECONFIG, and its absence is said', async () => {
    const place = folder({ config: kubeconfig({ server: 'https://api.example' }) })
    const { KUBECONFIG, HOME } = process.env
    onTestFinished(() => {
      if (KUBECONFIG === undefined) delete process.env['KUBECONFIG']
      else process.env['KUBECONFIG'] = KUBECONFIG
      if (HOME !== undefined) process.env['HOME'] = HOME
    })
    process.env['KUBECONFIG'] = join(place.path, 'config')
    expect((await loadCredentials()).server).toBe('https://api.example')
    delete process.env['KUBECONFIG']
    process.env['HOME'] = place.path
    expect(await messageOf(loadCredentials())).toMatch(/there must be a kubeconfig/)
  })

  it('gives a token, or a name and a password', async () => {
    const api = await scriptedApi()
    const place = folder()
    place.write('token', kubeconfig({ server: api.url, user: { token: 'secret' } }))
    place.write('password', kubeconfig({ server: api.url, user: { username: 'me', password: 'pw' } }))
    for (const name of ['token', 'password']) {
      await clientWith(await loadCredentials({ kubeconfig: join(place.path, name) })).get(services, web)
    }
    expect(api.requests.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer secret',
      `Basic ${Buffer.from('me:pw').toString('base64')}`,
    ])
  })

  it('is all that a command needs to connect', async () => {
    const api = await scriptedApi()
    const place = folder({ config: kubeconfig({ server: api.url, user: { token: 'secret' } }) })
    const client = await connect({ kubeconfig: join(place.path, 'config'), userAgent: 'gatewright/1.0', deadline: 1_000 })
    onTestFinished(() => client.close())
    api.fail({}, { status: 503 })
    expect(await client.get(services, web)).toBeUndefined()
    expect(api.requests[1]?.headers).toMatchObject({ authorization: 'Bearer secret', 'user-agent': 'gatewright/1.0' })
  })

  it('gives certificates: the server must be the right one, and learns who we are', async () => {
    const validity = { from: new Date(Date.now() - 3_600_000), until: new Date(Date.now() + 3_600_000) }
    const authority = makeAuthority('cluster', validity)
    const { certificate: cert, key } = makeLeaf(authority, ['kubernetes'], [], validity)
    const client = makeClientLeaf(authority, 'admin', 'gatewright://admin', validity)
    let subject = ''
    const server = createServer({ cert, key, ca: authority.certificate, requestCert: true }, (request, response) => {
      subject = String((request.socket as TLSSocket).getPeerCertificate().subject?.CN)
      response.end(JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' } }))
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    onTestFinished(() => void server.close())
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    const place = folder({ 'client.crt': client.certificate, 'client.key': client.key })
    const user = { 'client-certificate': 'client.crt', 'client-key': 'client.key' }
    const cluster = { 'certificate-authority-data': base64(authority.certificate) }
    place.write('good', kubeconfig({ server: url, cluster: { ...cluster, 'tls-server-name': 'kubernetes' }, user }))
    place.write('bad', kubeconfig({ server: url, cluster: { ...cluster, 'tls-server-name': 'another' }, user }))
    place.write('careless', kubeconfig({ server: url, cluster: { 'insecure-skip-tls-verify': true }, user }))
    const get = async (name: string) => await clientWith(await loadCredentials({ kubeconfig: join(place.path, name) })).get(services, web)
    expect(await get('good')).toBeDefined()
    expect(subject).toBe('admin')
    expect(await messageOf(get('bad'))).toMatch(/no answer came from the API server/)
    expect(await get('careless')).toBeDefined()
  })

  it('names a program that gives a token, which is asked again when the token is not accepted any more', async () => {
    const api = await scriptedApi()
    api.token = 'first'
    const place = folder({ token: 'first' })
    const plugin = place.write(
      'plugin',
      `#!/bin/sh\necho '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"expirationTimestamp":"2999-01-01T00:00:00Z","token":"'$(cat ${join(place.path, 'token')})'"}}'\n`,
    )
    chmodSync(plugin, 0o755)
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, interactiveMode: 'Never' }
    place.write('config', kubeconfig({ server: api.url, user: { exec } }))
    const client = clientWith(await loadCredentials({ kubeconfig: join(place.path, 'config') }))
    expect(await client.get(services, web)).toBeUndefined()
    api.token = 'second'
    place.write('token', 'second')
    expect(await client.get(services, web)).toBeUndefined()
    expect(api.requests.map(({ headers }) => headers['authorization'])).toEqual(['Bearer first', 'Bearer first', 'Bearer second'])
  })

  it('names a program that fails: the message has its words', async () => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/sh', args: ['-c', 'echo log in first >&2; exit 1'] }
    const place = folder({ config: kubeconfig({ server: 'https://api.example', user: { exec } }) })
    const client = clientWith(await loadCredentials({ kubeconfig: join(place.path, 'config') }))
    expect(await messageOf(client.get(services, web))).toBe(
      'Cannot reach the API server: the credentials of user me must be there: log in first',
    )
  })
})

describe('the token of a pod', () => {
  const inPod = async () => {
    const api = await scriptedApi()
    api.token = 'first'
    const place = folder({ token: 'first\n' })
    const tokenFile = join(place.path, 'token')
    place.write('config', kubeconfig({ server: api.url, user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } } }))
    let now = 0
    const credentials = await loadCredentials({ kubeconfig: join(place.path, 'config'), now: () => now })
    return { api, credentials, tokenFile, later: (milliseconds: number) => (now += milliseconds) }
  }

  it('is read again from its file when it is not accepted any more', async () => {
    const { api, credentials, tokenFile } = await inPod()
    const client = clientWith(credentials)
    await client.get(services, web)
    writeFileSync(tokenFile, 'second')
    api.token = 'second'
    await client.get(services, web)
    expect(api.requests.map(({ headers }) => headers['authorization'])).toEqual(['Bearer first', 'Bearer first', 'Bearer second'])
  })

  it('is read again for a watch too', async () => {
    const { api, credentials, tokenFile } = await inPod()
    const client = clientWith(credentials)
    await client.get(services, web)
    writeFileSync(tokenFile, 'second')
    api.token = 'second'
    const ending = new AbortController()
    const watch = client.watch(services, {}, { resourceVersion: '100', timeoutSeconds: 60 }, ending.signal)
    const begun = await watch[Symbol.asyncIterator]().next()
    expect(begun.value).toEqual([])
    ending.abort()
  })

  it('that is not accepted a second time is an error', async () => {
    const { api, credentials } = await inPod()
    api.token = 'another'
    expect(await messageOf(clientWith(credentials).get(services, web))).toMatch(/answered 401 Unauthorized/)
    expect(api.requests).toHaveLength(2)
  })

  it('is looked at again after half a minute, and is the same as long as nothing changed', async () => {
    const { credentials, later } = await inPod()
    const first = await credentials.access()
    later(31_000)
    expect(await credentials.access()).toBe(first)
    expect((await credentials.access()).tls).toBe(first.tls)
  })
})
