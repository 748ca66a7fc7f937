import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AdminServer } from '../../../src/admin/admin-server.ts'
import { Secret } from '../../../src/lib/secret.ts'

describe('the admin server', () => {
  let unready: string[]
  let server: AdminServer
  let port: number

  beforeEach(async () => {
    unready = []
    server = new AdminServer({
      metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'x 1\n' },
      unready: () => unready,
      documents: {
        '/config': () => ({ gateways: [], key: new Secret('private') }),
        '/statuses': () => {
          throw new Error('no pass yet')
        },
      },
    })
    port = await server.listen('127.0.0.1', 0)
  })
  afterEach(() => server.close())

  function ask(path: string, method = 'GET', host?: string): Promise<{ status: number; type: string; text: string }> {
    return new Promise((resolve, reject) => {
      request({ port, host: '127.0.0.1', path, method, ...(host !== undefined && { headers: { host } }) }, (response) => {
        let text = ''
        response.on('data', (bytes) => (text += String(bytes)))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }))
      })
        .on('error', reject)
        .end()
    })
  }

  it('is healthy while it answers, and ready when nothing keeps it from being so', async () => {
    expect(await ask('/healthz')).toMatchObject({ status: 200, text: 'ok\n' })
    expect(await ask('/readyz')).toMatchObject({ status: 200, text: 'ok\n' })
    unready = ['nothing was applied yet']
    expect(await ask('/readyz')).toMatchObject({ status: 503, text: 'nothing was applied yet\n' })
    expect(await ask('/healthz')).toMatchObject({ status: 200 })
  })

  it('gives metrics with their content type', async () => {
    expect(await ask('/metrics')).toEqual({ status: 200, type: 'text/plain; version=0.0.4', text: 'x 1\n' })
  })

  it('gives documents as JSON, whatever the query, with secrets redacted', async () => {
    const answer = await ask('/config?x=1')
    expect(answer).toMatchObject({ status: 200, type: 'application/json' })
    expect(JSON.parse(answer.text)).toEqual({ gateways: [], key: '[redacted]' })
  })

  it('lists its paths, and names them when a path is unknown', async () => {
    expect((await ask('/')).text).toBe('/healthz\n/readyz\n/metrics\n/config\n/statuses\n')
    expect(await ask('/toString')).toMatchObject({ status: 404, text: expect.stringContaining('/config\n') })
  })

  it('answers HEAD without a body and refuses methods that could mean a change', async () => {
    expect(await ask('/config', 'HEAD')).toMatchObject({ status: 200, text: '' })
    expect(await ask('/config', 'POST')).toMatchObject({ status: 405 })
    expect(await ask('/config', 'DELETE')).toMatchObject({ status: 405 })
  })

  it('answers only to addresses and localhost, so that no foreign page can read it through a browser', async () => {
    for (const host of ['localhost', 'localhost:9000', '10.0.0.1:9000', '[::1]:9000'])
      expect([host, (await ask('/config', 'GET', host)).status]).toEqual([host, 200])
    for (const host of ['evil.example', 'localhost.evil.example:80', '127.0.0.1.evil.example']) {
      expect([host, (await ask('/config', 'GET', host)).status]).toEqual([host, 403])
    }
  })

  it('says what went wrong when a document cannot be made, and goes on', async () => {
    expect(await ask('/statuses')).toMatchObject({ status: 500, text: 'Cannot answer: no pass yet\n' })
    expect(await ask('/healthz')).toMatchObject({ status: 200 })
  })

  it('tells peers elsewhere, as all pods of a cluster are, no more than probes and Prometheus need', async () => {
    await server.close()
    const peers: string[] = []
    const sources = {
      metrics: { contentType: 'text/plain', text: async () => 'x 1\n' },
      unready: () => [],
      documents: { '/config': () => ({}) },
    }
    server = new AdminServer(sources, (peer) => peers.push(peer) === 0)
    port = await server.listen('127.0.0.1', 0)
    expect(await ask('/config')).toMatchObject({ status: 403, text: expect.stringContaining('loopback') })
    expect(await ask('/')).toMatchObject({ status: 403 })
    expect(await ask('/else')).toMatchObject({ status: 403 })
    expect(peers).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1'])
    for (const path of ['/healthz', '/readyz', '/metrics']) expect(await ask(path)).toMatchObject({ status: 200 })
  })

  it('rejects when its port is taken', async () => {
    const second = new AdminServer({ metrics: { contentType: '', text: async () => '' }, unready: () => [], documents: {} })
    await expect(second.listen('127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})
