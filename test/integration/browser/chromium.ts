/**
 * Headless Chromium with a profile of its own in a temporary folder, which is also its home, so that nothing of the person's is
 * read or written. It trusts a development CA as a person's browser does: from the NSS database of its home.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { DevTools } from './dev-tools.ts'
import { Page } from './page.ts'

export interface ChromiumOptions {
  /** PEM of an authority to trust beside those that the browser brings. */
  readonly authority?: string
  /** Where each hostname leads, `address:port`. No other name resolves, so that nothing leaves this machine. */
  readonly hosts: Readonly<Record<string, string>>
}

/** What the tests need and this machine has not. */
export const missing = ['chromium', 'certutil'].filter((name) => !isInstalled(name))

export class Chromium {
  readonly #child: ChildProcess
  readonly #tools: DevTools
  readonly profile: string
  stderr = ''

  private constructor(profile: string, { hosts }: ChromiumOptions) {
    this.profile = profile
    const rules = [...Object.entries(hosts).map(([name, place]) => `MAP ${name} ${place}`), 'MAP * ~NOTFOUND']
    this.#child = spawn('chromium', [...flags, `--user-data-dir=${profile}`, `--host-resolver-rules=${rules.join(',')}`, 'about:blank'], {
      env: { PATH: process.env['PATH'] ?? '', HOME: profile, TMPDIR: profile },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.#tools = new DevTools(this.#child.stdio[3] as Writable, this.#child.stdio[4] as Readable)
  }

  static async start(options: ChromiumOptions): Promise<Chromium> {
    const profile = mkdtempSync(join(tmpdir(), 'gatewright-chromium-'))
    if (options.authority !== undefined) trust(profile, options.authority)
    const chromium = new Chromium(profile, options)
    try {
      await chromium.#tools.send('Browser.getVersion')
      return chromium
    } catch (error) {
      await chromium.close()
      throw new Error(`Cannot go on: Chromium must start, it said: ${chromium.stderr}`, { cause: error })
    }
  }

  open(): Promise<Page> {
    return Page.open(this.#tools)
  }

  /** Ends it with all its processes, which live no longer than the first, and removes its profile. */
  async close(): Promise<void> {
    const running = this.#child.exitCode === null && this.#child.signalCode === null
    if (running) {
      const ended = once(this.#child, 'exit')
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
      this.#tools.send('Browser.close').catch(() => {})
      await ended
      clearTimeout(timer)
    }
    // Its helpers may still be writing.
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  }
}

function isInstalled(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)))
}

const flags = [
  '--headless',
  // Chromium cannot make its sandbox as root or in most containers; the only pages here are the test's own.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-breakpad',
  '--remote-debugging-pipe',
]

function trust(home: string, authority: string): void {
  const database = join(home, '.pki', 'nssdb')
  mkdirSync(database, { recursive: true })
  const file = join(home, 'authority.pem')
  writeFileSync(file, authority)
  certutil('-N', '-d', `sql:${database}`, '--empty-password')
  certutil('-A', '-d', `sql:${database}`, '-n', 'development', '-t', 'C,,', '-i', file)
}

function certutil(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('certutil', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`Cannot make the browser trust the CA: certutil must end with 0, got ${status}: ${stderr}`)
}
