/** The edge around the overlay: binds echo backends, makes certificates, resolves hosts, then lets the overlay apply them. */
import { lookup } from 'node:dns/promises'
import type { Finding } from '../api/finding.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import type { Translation } from '../translate/translation.ts'
import { DevelopmentCa } from './development-ca.ts'
import type { Leaf } from './development-ca.ts'
import { EchoBackend } from './echo.ts'
import { Overlay } from './overlay.ts'
import type { Overlaid, OverlayInputs, OverlayOptions, OverlaySettings, OverlayWants } from './overlay.ts'

export interface LaptopOptions extends OverlayOptions {
  /** Folder of the development CA: `stateFolder()` unless the user named one. */
  readonly stateFolder: string
}

/** Milliseconds: a name server that does not answer must not hold up every pass. */
const retryLookupAfter = 10_000

export class Laptop {
  readonly #overlay: Overlay
  readonly #stateFolder: string
  /** Kept until the end: a Service that comes back in the next edit finds its backend and its connections. */
  readonly #echoes = new Map<string, EchoBackend>()
  readonly #addresses = new Map<string, readonly string[]>()
  readonly #unresolved = new Map<string, { readonly finding: Finding; readonly until: number }>()
  #ca: DevelopmentCa | undefined

  constructor(options: LaptopOptions) {
    this.#overlay = new Overlay(options)
    this.#stateFolder = options.stateFolder
  }

  /** From the next pass on. */
  configure(settings: OverlaySettings): void {
    this.#overlay.configure(settings)
  }

  /** One pass, with the arguments of `Overlay.plan`. One at a time. Never rejects for what one Service or listener lacks. */
  async overlay(snapshot: Snapshot, strict: Translation, refused?: ReadonlySet<string>): Promise<Overlaid> {
    const plan = this.#overlay.plan(snapshot, strict, refused)
    return this.#overlay.apply(plan, await this.#prepare(plan.wants))
  }

  /** The file that clients may trust; undefined while no development certificate was needed. */
  get caCertificatePath(): string | undefined {
    return this.#ca?.certificatePath
  }

  /** Requests that each echo backend took, by `namespace/name` of its Service. */
  get echoRequests(): ReadonlyMap<string, number> {
    return new Map([...this.#echoes].map(([service, backend]) => [service, backend.requests]))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#echoes.values()].map((backend) => backend.close()))
    this.#echoes.clear()
  }

  async #prepare(wants: OverlayWants): Promise<OverlayInputs> {
    const findings: Finding[] = []
    const echoPorts = await this.#bindEchoes(wants.echoes)
    const addresses = await this.#resolve(wants.hosts, findings)
    const leaves = await this.#makeLeaves(wants.hostnames, findings)
    return { leaves, echoPorts, addresses, findings }
  }

  async #bindEchoes(services: OverlayWants['echoes']): Promise<ReadonlyMap<string, number>> {
    const ports = new Map<string, number>()
    for (const { namespace, name } of services) {
      const key = `${namespace}/${name}`
      const backend = this.#echoes.get(key) ?? (await EchoBackend.start(namespace, name, this.#leafFor))
      this.#echoes.set(key, backend)
      ports.set(key, backend.port)
    }
    return ports
  }

  /** Each host is asked for once: what answers for a Service here does not move while it is mapped. A failure is believed for a while. */
  async #resolve(hosts: readonly string[], findings: Finding[]): Promise<ReadonlyMap<string, readonly string[]>> {
    for (const host of hosts) {
      if (this.#addresses.has(host)) continue
      const failed = this.#unresolved.get(host)
      if (failed !== undefined && failed.until > Date.now()) {
        findings.push(failed.finding)
        continue
      }
      try {
        const found = await lookup(host, { all: true, verbatim: false })
        this.#addresses.set(host, [...new Set(found.map(({ address }) => address))])
        this.#unresolved.delete(host)
      } catch (error) {
        const finding = failure('service-mapping-unresolved', `Cannot map a Service to ${host}: its name must resolve`, error)
        this.#unresolved.set(host, { finding, until: Date.now() + retryLookupAfter })
        findings.push(finding)
      }
    }
    return this.#addresses
  }

  /** For clients whose TLS ends at an echo backend. */
  readonly #leafFor = async (hostname: string): Promise<Leaf> => {
    this.#ca ??= await DevelopmentCa.open(this.#stateFolder, Date.now())
    return this.#ca.leaf(hostname, Date.now())
  }

  async #makeLeaves(hostnames: readonly string[], findings: Finding[]): Promise<ReadonlyMap<string, Leaf>> {
    const leaves = new Map<string, Leaf>()
    if (hostnames.length === 0) return leaves
    const say = (what: string, error: unknown): void => {
      const finding = failure('development-certificate-failed', `Cannot make ${what} in ${this.#stateFolder}`, error)
      findings.push({ ...finding, fix: { text: 'Name a folder that may be written to with --state-dir.' } })
    }
    try {
      this.#ca ??= await DevelopmentCa.open(this.#stateFolder, Date.now())
    } catch (error) {
      say('a development CA', error)
      return leaves
    }
    for (const hostname of hostnames) {
      try {
        leaves.set(hostname, await this.#ca.leaf(hostname, Date.now()))
      } catch (error) {
        say(`a certificate for ${hostname}`, error)
      }
    }
    return leaves
  }
}

function failure(code: string, what: string, error: unknown): Finding {
  return { code, severity: 'error', message: `${what}: ${error instanceof Error ? error.message : String(error)}` }
}
