import { describe, expect, it, onTestFinished } from 'vitest'
import type { EchoAnswer } from '../../../src/standalone/echo.ts'
import { ExampleCopy } from '../../harness/example-copy.ts'
import { pause } from '../../harness/eventually.ts'
import type { RawAnswer, RawClient } from '../../harness/raw-client.ts'
import { type Change, RunningGateway } from '../../harness/running-gateway.ts'

const host = 'myapp.example.com'
const url = `https://${host}/`

async function canary(...flags: readonly string[]) {
  const files = new ExampleCopy('canary')
  const gateway = await RunningGateway.start([files.path, ...flags])
  onTestFinished(async () => {
    expect(await gateway.close(), gateway.stderr).toBe(0)
  })
  return { files, gateway, client: await gateway.connect(url) }
}

/** Asks until the answer is as wanted; milliseconds since `began`. */
async function served(client: RawClient, wanted: (answer: RawAnswer) => boolean, began: number): Promise<number> {
  while (!wanted(await client.get(host))) {
    if (performance.now() - began > 3_000) throw new Error('Cannot go on: the saved file must be served within 3 s')
    await pause(1)
  }
  return performance.now() - began
}

/** The message of the route's Accepted condition, when a change tells that it is `status`. */
const accepted =
  (status: 'True' | 'False') =>
  (change: Change): string | undefined => {
    const route = change.statuses.find(({ kind, name }) => kind === 'HTTPRoute' && name === 'canary-route')?.status
    const conditions = route !== undefined && 'parents' in route ? (route.parents[0]?.conditions ?? []) : []
    return conditions.find((condition) => condition.type === 'Accepted' && condition.status === status)?.message
  }

/** The route, adding a header to each answer. */
function withHeader(route: string, name: string, value: string): string {
  const filter = `{ type: ResponseHeaderModifier, responseHeaderModifier: { set: [{ name: ${name}, value: "${value}" }] } }`
  return route.replace('backendRefs:', `filters: [${filter}]\n      backendRefs:`)
}

describe('the canary', () => {
  it(
    'gives the canary 1,000 of 10,000 requests over kept-alive TLS connections, after any number of them within 2',
    { timeout: 30_000 },
    async () => {
      const { gateway } = await canary()
      const clients = await Promise.all(Array.from({ length: 8 }, () => gateway.connect(url)))
      let canaries = 0
      let worst = 0
      // Batches of pipelined requests, one connection after the other, so that the order of the decisions is known.
      for (let asked = 0; asked < 10_000;) {
        const client = clients[(asked / 25) % clients.length] as RawClient
        client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(25))
        for (let i = 0; i < 25; i += 1) {
          const { status, body } = await client.answer()
          expect(status).toBe(200)
          asked += 1
          if ((JSON.parse(body) as EchoAnswer).service === 'my-app-canary') canaries += 1
          worst = Math.max(worst, Math.abs(canaries - asked / 10))
        }
      }
      expect(Math.abs(canaries - 1_000), `${canaries} of 10,000`).toBeLessThanOrEqual(1)
      expect(worst).toBeLessThanOrEqual(2)
    },
  )

  it('answers 404 within 100 ms of a save that takes the label away, names the label, and serves again when it is back', async () => {
    const { files, gateway, client } = await canary()
    const labelled = files.read('namespace.yaml')
    const bare = labelled.replace(/ {2}labels:\n {4}purpose: routing\n/, '')
    expect(bare).not.toBe(labelled)
    const times = { away: Infinity, back: Infinity }
    // A busy machine may be slow once or twice, a gateway that is too slow is so every time.
    for (let attempt = 0; attempt < 5 && Math.max(times.away, times.back) > 100; attempt += 1) {
      const from = gateway.changes.length
      files.save('namespace.yaml', bare)
      times.away = Math.min(times.away, await served(client, ({ status }) => status === 404, performance.now()))
      expect(await gateway.change(accepted('False'), 'a status that says no', from)).toContain('purpose=routing')
      files.save('namespace.yaml', labelled)
      times.back = Math.min(times.back, await served(client, ({ status }) => status === 200, performance.now()))
      expect(await gateway.change(accepted('True'), 'a status that says yes', from)).toBeDefined()
    }
    expect(times.away).toBeLessThan(100)
    expect(times.back).toBeLessThan(100)
  })

  it('serves 95 of 100 saved files within 100 ms', { timeout: 40_000 }, async () => {
    const { files, client } = await canary()
    const route = files.read('route.yaml')
    let best = { median: Infinity, late: Infinity }
    for (let series = 0; series < 2 && best.late > 100; series += 1) {
      const times: number[] = []
      for (let save = 0; save < 100; save += 1) {
        const began = performance.now()
        files.save('route.yaml', withHeader(route, 'x-save', `${save}`), save % 2 === 0 ? 'write' : 'replace')
        times.push(await served(client, ({ headers }) => headers.get('x-save') === `${save}`, began))
      }
      times.sort((a, b) => a - b)
      const [median = Infinity, late = Infinity] = [times[49], times[94]]
      if (late < best.late) best = { median, late }
    }
    console.info(`100 saves, served after: median ${best.median.toFixed(1)} ms, 95th ${best.late.toFixed(1)} ms`)
    expect(best.late).toBeLessThan(100)
    expect(best.median).toBeLessThan(60)
  })

  it('serves a saved file within a second where only polling tells', async () => {
    const { files, client } = await canary('--poll')
    const route = files.read('route.yaml')
    const times: number[] = []
    for (let attempt = 0; attempt < 3 && Math.min(...times) > 1_000; attempt += 1) {
      files.save('route.yaml', withHeader(route, 'x-save', `${attempt}`))
      times.push(await served(client, ({ headers }) => headers.get('x-save') === `${attempt}`, performance.now()))
    }
    expect(Math.min(...times)).toBeLessThan(1_000)
  })

  it('keeps the last good objects of a broken file and shows its error until it is mended', async () => {
    const { files, gateway, client } = await canary()
    const route = files.read('route.yaml')
    files.save('route.yaml', route.replace('weight: 90', 'weight: ninety'))
    const finding = await gateway.change(({ findings }) => findings.find(({ severity }) => severity === 'error'), 'the error')
    expect(finding.message).toContain('ninety')
    expect(finding.at).toMatchObject({ file: expect.stringContaining('route.yaml'), line: 21 })
    expect((await client.get(host)).status).toBe(200)

    // The error still stands after a change of another file.
    const from = gateway.changes.length
    files.save('gateway.yaml', files.read('gateway.yaml').replace('name: https', 'name: renamed'))
    await gateway.change(
      ({ listeners }) => listeners.some(({ listener }) => listener === 'renamed') || undefined,
      'the renamed listener',
      from,
    )
    expect(await errors(gateway)).toEqual([finding.message])
    const again = await gateway.connect(url)
    expect((await again.get(host)).status).toBe(200)

    files.save('route.yaml', withHeader(route, 'x-mended', 'yes'))
    await served(again, ({ headers }) => headers.get('x-mended') === 'yes', performance.now())
    expect(await errors(gateway)).toEqual([])
  })
})

async function errors(gateway: RunningGateway): Promise<string[]> {
  const findings = (await (await fetch(`${gateway.ready.admin}/findings`)).json()) as Change['findings']
  return findings.filter(({ severity }) => severity === 'error').map(({ message }) => message)
}
