/**
 * Where the API server is, and what proves who we are: kubeconfig files, exec plugins, the tokens of pods.
 *
 * The field has many forms, and `@kubernetes/client-node` knows them. It is loaded when credentials are, and gives
 * nothing else: requests, lists and watches are our own. What it gives is asked for anew every half minute, since
 * tokens and certificates rotate in their files, and at once after the API server did not accept it.
 */
import type { KubeConfig } from '@kubernetes/client-node'
import { KubeError } from './kube-error.ts'

export interface Credentials {
  /** `https://host:port/path`. */
  readonly server: string
  /** Of the context; where a command works unless it is told. */
  readonly namespace: string | undefined
  readonly proxy: string | undefined
  /** The same object as long as nothing of it changed. */
  access(): Promise<Access>
  /** Were not accepted: the next `access` looks at everything again. */
  refused(): void
}

export interface Access {
  /** The header `authorization` among them. */
  readonly headers: Readonly<Record<string, string>>
  /** The same object as long as nothing of it changed. */
  readonly tls: TlsAccess
}

export interface TlsAccess {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

export interface CredentialsOptions {
  /** Else the environment's KUBECONFIG, ~/.kube/config, the pod's own. */
  readonly kubeconfig?: string
  /** Else the file's current one. */
  readonly context?: string
  /** Milliseconds. */
  readonly now?: () => number
}

const FRESH_MS = 30_000
/** What the library makes up where it finds nothing. */
const NOWHERE = 'http://localhost:8080'

/** Throws a KubeError that says what is missing. */
export async function loadCredentials(options: CredentialsOptions = {}): Promise<Credentials> {
  const { KubeConfig: Config } = await import('@kubernetes/client-node')
  const load = (): KubeConfig => loadConfig(new Config(), options)
  const config = load()
  const cluster = config.getCurrentCluster()
  const at = options.kubeconfig === undefined ? 'the kubeconfig' : options.kubeconfig
  if (!cluster?.server) {
    const context = config.getCurrentContext()
    throw missing(`context ${context ? JSON.stringify(context) : '(none is current)'} of ${at} must name a cluster with a server`)
  }
  if (cluster.server === NOWHERE && options.kubeconfig === undefined && config.getClusters()[0]?.name === 'cluster') {
    throw missing('there must be a kubeconfig (~/.kube/config, or a file that KUBECONFIG or --kubeconfig names), or this must be a pod')
  }
  if (!/^https?:\/\//.test(cluster.server)) throw missing(`the server must be an http or https URL, got ${cluster.server}`)
  if (cluster.proxyUrl !== undefined && !/^https?:\/\//.test(cluster.proxyUrl)) {
    throw missing(`the proxy-url must be an http or https URL, got ${cluster.proxyUrl}`)
  }
  return new ConfigCredentials(config, load, options.now ?? Date.now)
}

function loadConfig(config: KubeConfig, { kubeconfig, context }: CredentialsOptions): KubeConfig {
  try {
    if (kubeconfig === undefined) config.loadFromDefault()
    else config.loadFromFile(kubeconfig)
  } catch (error) {
    throw missing(`${kubeconfig ?? 'the kubeconfig'} must be readable: ${(error as Error).message}`, error)
  }
  if (context === undefined) return config
  const names = config.getContexts().map(({ name }) => name)
  if (!names.includes(context)) {
    throw missing(
      `context ${JSON.stringify(context)} must be one of ${names.length === 0 ? 'those of the file, which has none' : names.join(', ')}`,
    )
  }
  config.setCurrentContext(context)
  return config
}

class ConfigCredentials implements Credentials {
  readonly server: string
  readonly namespace: string | undefined
  readonly proxy: string | undefined
  readonly #load: () => KubeConfig
  readonly #now: () => number
  #config: KubeConfig
  #access: Access = { headers: {}, tls: {} }
  #looked = Number.NEGATIVE_INFINITY
  #looking: Promise<Access> | undefined
  #isRefused = false

  constructor(config: KubeConfig, load: () => KubeConfig, now: () => number) {
    const cluster = config.getCurrentCluster()
    this.server = cluster?.server ?? ''
    this.proxy = cluster?.proxyUrl
    this.namespace = config.getContextObject(config.getCurrentContext())?.namespace
    this.#config = config
    this.#load = load
    this.#now = now
  }

  async access(): Promise<Access> {
    if (!this.#isRefused && this.#now() - this.#looked < FRESH_MS) return this.#access
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return await this.#looking
  }

  refused(): void {
    this.#isRefused = true
  }

  async #look(): Promise<Access> {
    const given = await this.#given()
    const tls = equalFields(given.tls, this.#access.tls) ? this.#access.tls : given.tls
    const headers = equalFields(given.headers, this.#access.headers) ? this.#access.headers : given.headers
    if (tls !== this.#access.tls || headers !== this.#access.headers) this.#access = { headers, tls }
    this.#looked = this.#now()
    return this.#access
  }

  async #given(): Promise<Access> {
    const wasRefused = this.#isRefused
    try {
      if (wasRefused) this.#config = this.#load()
      const given = await asked(this.#config)
      this.#isRefused = false
      return given
    } catch (error) {
      // A file that is being replaced, or a plugin that fails once: what was good is good until it is refused.
      if (wasRefused || this.#looked === Number.NEGATIVE_INFINITY) throw error
      return this.#access
    }
  }
}

async function asked(config: KubeConfig): Promise<Access> {
  const given: Parameters<KubeConfig['applyToHTTPSOptions']>[0] = {}
  const plain = config.getCurrentCluster()
  // The library refuses clear text unless verification is off; it is the user's file that says http.
  if (plain?.server.startsWith('http:') === true) Object.assign(plain, { skipTLSVerify: true })
  try {
    await config.applyToHTTPSOptions(given)
  } catch (error) {
    const user = config.getCurrentUser()?.name
    throw missing(`the credentials of user ${user ?? '(none)'} must be there: ${(error as Error).message.trim()}`, error)
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(given.headers ?? {})) headers[name.toLowerCase()] = String(value).trim()
  if (typeof given.auth === 'string') headers['authorization'] = `Basic ${Buffer.from(given.auth).toString('base64')}`
  const { ca, cert, key, rejectUnauthorized } = given
  const servername = 'servername' in given && typeof given.servername === 'string' ? given.servername : undefined
  return {
    headers,
    tls: {
      ...pem('ca', ca),
      ...pem('cert', cert),
      ...pem('key', key),
      ...(servername !== undefined && { servername }),
      ...(rejectUnauthorized === false && { rejectUnauthorized }),
    },
  }
}

function pem<const K extends string>(name: K, value: unknown): Partial<Record<K, string>> {
  const text = typeof value === 'string' ? value : Buffer.isBuffer(value) ? value.toString('utf8') : undefined
  return text === undefined ? {} : ({ [name]: text } as Partial<Record<K, string>>)
}

function equalFields(a: object, b: object): boolean {
  const left = Object.entries(a)
  return left.length === Object.keys(b).length && left.every(([name, value]) => (b as Record<string, unknown>)[name] === value)
}

function missing(what: string, cause?: unknown): KubeError {
  return new KubeError(`Cannot reach the API server: ${what}`, { status: 0, reason: 'NoCredentials' }, { cause })
}
