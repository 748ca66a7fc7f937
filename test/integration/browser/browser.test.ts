/** A page in a real browser through the real command, over TLS with a development certificate that the browser verifies. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AccessRecord } from '../../../src/telemetry/access-record.ts'
import { RunningGateway } from '../../harness/running-gateway.ts'
import { Chromium, missing } from './chromium.ts'
import type { Page } from './page.ts'
import { type Site, startSite } from './site.ts'

const home = 'https://www.example.com/'
const manifests = 'test/integration/browser/manifests'

if (missing.length > 0) console.warn(`Left out: a page in a browser (this machine has no ${missing.join(' and no ')})`)

describe.skipIf(missing.length > 0)('a page in a browser', () => {
  let site: Site
  let gateway: RunningGateway
  let chromium: Chromium
  let page: Page

  /** Once they are all there: the log is written a moment after the exchange. */
  async function records(path: string, wanted: number, method?: string): Promise<readonly AccessRecord[]> {
    const look = (): AccessRecord[] =>
      gateway.stderr
        .split('\n')
        .filter((line) => line.includes('"protocol"'))
        .map((line) => JSON.parse(line) as AccessRecord)
        .filter((record) => record.target === path && (method === undefined || record.method === method))
    await expect.poll(() => look().length, { timeout: 5_000 }).toBeGreaterThanOrEqual(wanted)
    return look()
  }

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${gateway.ready.admin}/metrics`)).text()
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
  }

  const hosts = (): Record<string, string> => {
    const { address, port } = gateway.place(home)
    return { '*.example.com': `${address}:${port}` }
  }

  beforeAll(async () => {
    site = await startSite()
    gateway = await RunningGateway.start([manifests, '--access-log', 'json', '--service', `shop/site:80=localhost:${site.port}`])
    chromium = await Chromium.start({ authority: gateway.authority, hosts: hosts() })
    page = await chromium.open()
    expect(await page.go(home)).toBeUndefined()
  }, 60_000)

  afterAll(async () => {
    await chromium?.close()
    const code = await gateway?.close()
    await site?.stop()
    expect(code, gateway?.stderr).toBe(0)
  }, 30_000)

  it('runs its script and has its style and picture, all of it over HTTP/2', async () => {
    expect(await page.task('looks')).toEqual({ title: 'Shop', colour: 'rgb(1, 2, 3)', width: 7 })
    expect(await page.task('protocols')).toEqual({ '/': 'h2', '/style.css': 'h2', '/main.js': 'h2', '/text.js': 'h2', '/icon.svg': 'h2' })
    for (const path of ['/', '/style.css', '/main.js', '/text.js', '/icon.svg'])
      expect(await records(path, 1), path).toContainEqual(
        expect.objectContaining({ protocol: 'HTTP/2', scheme: 'https', status: 200, host: 'www.example.com', flag: '' }),
      )
  })

  it('[wire:h2-web-socket] opens a WebSocket on the same HTTP/2 connection (RFC 8441), through which text and bytes come back', async () => {
    const before = await metric('gatewright_connections_total')
    expect(await page.task('webSocket')).toEqual({
      url: 'wss://www.example.com/chat',
      messages: ['www.example.com', 'täxt', 60_000],
      closed: { code: 1000, reason: 'done', wasClean: true },
    })
    expect(await records('/chat', 1)).toEqual([expect.objectContaining({ protocol: 'HTTP/2', status: 101, flag: '' })])
    expect(await metric('gatewright_connections_total')).toBe(before)
    expect(site.requests).toContain('GET www.example.com /chat')
    await expect.poll(() => metric('gatewright_tunnels')).toBe(0)
  })

  it('posts a body of many windows', async () => {
    const length = 3 * 1024 * 1024
    expect(await page.task('post', length)).toEqual({ status: 200, length, same: true })
    expect(await records('/orders', 1)).toEqual([expect.objectContaining({ protocol: 'HTTP/2', requestBytes: length })])
  })

  it('gets each event of a stream when it is sent, and the application hears when it leaves', async () => {
    expect(await page.task('events', 5)).toEqual(['1', '2', '3', '4', '5'])
    await expect.poll(() => site.streams).toBe(0)
    expect(await records('/events', 1)).toEqual([expect.objectContaining({ protocol: 'HTTP/2', status: 200, flag: 'client-gone' })])
  })

  it('[feature:HTTPRouteCORS] [feature:GatewayHTTPSListenerDetectMisdirectedRequests] may call an origin that allows it, on the connection that it needs', async () => {
    expect(await page.task('acrossOrigins')).toEqual({ status: 200, total: '42', hidden: null, method: 'PUT' })
    const asked = (await records('/cart', 3)).map(({ method, protocol, host, status, flag }) => [method, protocol, host, status, flag])
    // The preflight goes without credentials, and so on a connection of its own. The request would share the page's connection,
    // whose certificate is good for this host too; 421 sends it to one of its own (RFC 9110, section 15.5.20).
    expect(asked).toEqual([
      ['OPTIONS', 'HTTP/2', 'api.example.com', 204, 'preflight'],
      ['PUT', 'HTTP/2', 'api.example.com', 421, 'misdirected'],
      ['PUT', 'HTTP/2', 'api.example.com', 200, ''],
    ])
    expect(site.requests.filter((line) => line.endsWith('/cart'))).toEqual(['PUT api.example.com /cart'])
  })

  it('[feature:HTTPRouteCORS] may not call an origin that does not allow it', async () => {
    const stranger = await chromium.open()
    expect(await stranger.go('https://other.example.com/')).toBeUndefined()
    const before = site.requests.length
    expect(await stranger.task('acrossOrigins')).toEqual({ failed: 'TypeError' })
    expect(site.requests.slice(before).filter((line) => line.endsWith('/cart'))).toEqual([])
  })

  it('is not shown where the CA is not trusted; and a browser of these tests leaves nothing behind', async () => {
    const wary = await Chromium.start({ hosts: hosts() })
    try {
      expect(await (await wary.open()).go(home)).toBe('net::ERR_CERT_AUTHORITY_INVALID')
      expect(processesWith(wary.profile)).not.toEqual([])
    } finally {
      await wary.close()
    }
    expect(existsSync(wary.profile)).toBe(false)
    await expect.poll(() => processesWith(wary.profile), { timeout: 5_000 }).toEqual([])
  })
})

/** Processes whose command line names the text. */
function processesWith(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return line.includes(text) ? [line.replaceAll('\0', ' ')] : []
      } catch {
        return []
      }
    })
}
