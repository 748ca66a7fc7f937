import { describe, expect, it, onTestFinished } from 'vitest'
import { runCommand } from '../../harness/command.ts'
import { freePort, RunningGateway } from '../../harness/running-gateway.ts'

interface Explained {
  readonly answers: unknown
  readonly refused: unknown
  readonly notes: unknown
  readonly pools: readonly { readonly pool: string; readonly endpoints: readonly Readonly<Record<string, unknown>>[] }[]
}

describe('gatewright explain --admin', () => {
  it('says which endpoints are ejected, why, and until when', async () => {
    const gone = await freePort()
    const service = 'app-team-alpha/my-app-stable:80'
    const args = [
      'examples/canary',
      '--service',
      `${service}=127.0.0.1:${gone}`,
      '--bound',
      'eject-time=60000',
      '--bound',
      'eject-time-most=60000',
    ]
    const gateway = await RunningGateway.start(args)
    onTestFinished(async () => void (await gateway.close()))
    const url = 'https://myapp.example.com/'
    const client = await gateway.connect(url)
    const statuses = []
    for (let asked = 0; asked < 10; asked += 1) statuses.push((await client.get('myapp.example.com', '/')).status)
    expect(statuses.filter((status) => status === 502)).toHaveLength(9)
    const from = ['explain', '--admin', gateway.ready.admin, '--request', `GET https://myapp.example.com:${gateway.place(url).port}/`]
    const { pools } = JSON.parse((await runCommand([...from, '-o', 'json'])).stdout) as Explained
    expect(pools).toMatchObject([
      {
        pool: `Service/${service}`,
        panic: true,
        endpoints: [{ endpoint: `127.0.0.1:${gone}`, health: 'ejected', reason: 'connect-refused', until: expect.stringMatching(/Z$/) }],
      },
      { pool: 'Service/app-team-alpha/my-app-canary:80', panic: false, endpoints: [{ health: 'available', takesRequests: true }] },
    ])
    const { stdout } = await runCommand(from)
    expect(stdout).toMatch(
      new RegExp(`endpoint {2}127\\.0\\.0\\.1:${gone} {2}ejected: connect-refused, looked at again in [\\d.]+ s \\(.*Z\\)`),
    )
    expect(stdout).toMatch(/endpoint {2}127\.0\.0\.1:\d+ {2}ready\n/)
  })

  it('explains what a running gateway serves as it explains the folder', async () => {
    const gateway = await RunningGateway.start(['examples/multi-team'])
    onTestFinished(async () => void (await gateway.close()))
    const ask = async (from: readonly string[], url: string) => {
      const { code, stdout, stderr } = await runCommand(['explain', ...from, '--request', `GET ${url}`, '-o', 'json'])
      expect(stderr).toBe('')
      return { code, ...(JSON.parse(stdout) as Explained) }
    }
    for (const host of ['store.example.com', 'lab.example.com']) {
      const { port } = gateway.place(`http://${host}/`)
      const folder = await ask(['examples/multi-team'], `http://${host}/pay`)
      const live = await ask(['--admin', gateway.ready.admin], `http://${host}:${port}/pay`)
      expect([live.code, live.answers, live.refused, live.notes]).toEqual([folder.code, folder.answers, folder.refused, folder.notes])
    }
  })
})
