/**
 * services/: what a cloud and kube-proxy would do. Services of type LoadBalancer get an address, and addresses of Services lead to
 * their ready endpoints, TCP and UDP. There is no DNS; instead pods find the names of Services in /etc/hosts.
 */
import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { ApiClient } from '../api-client.ts'
import { API_SERVICE, NODE, NODE_NAME, POD_NETWORK } from '../addresses.ts'
import { runTool } from '../inside/run-tool.ts'
import { keyOf } from '../objects.ts'
import type { EndpointSlice, Service } from '../objects.ts'
import { Watched } from '../watched.ts'
import { LoadBalancerPool } from './load-balancer-pool.ts'
import { forwardsOf, rulesOf } from './rules.ts'

/** Changes within this time become one new set of rules. */
const gather = 20
const SERVICE_LABEL = 'kubernetes.io/service-name'
const isPod = (address: string): boolean => address.startsWith(`${POD_NETWORK.prefix}.`)

export class ServiceAgent {
  readonly #client: ApiClient
  readonly #hostsFile: string
  readonly #log: (line: string) => void
  readonly #services: Watched<Service>
  readonly #slices: Watched<EndpointSlice>
  readonly #pool = new LoadBalancerPool()
  /** By key of the Service. */
  readonly #uids = new Map<string, string>()
  #due = false
  #rules = ''
  #hosts = ''

  constructor(client: ApiClient, hostsFile: string, log: (line: string) => void) {
    this.#client = client
    this.#hostsFile = hostsFile
    this.#log = log
    this.#services = new Watched(client, '/api/v1/services', (key, service) => this.#serviceChanged(key, service))
    this.#slices = new Watched(client, '/apis/discovery.k8s.io/v1/endpointslices', () => this.#changed())
  }

  async start(): Promise<void> {
    writeFileSync(this.#hostsFile, hostsOf([]), { mode: 0o644 })
    await Promise.all([this.#services.start(), this.#slices.start()])
    await this.#bringUpToDate()
  }

  #serviceChanged(key: string, service: Service | undefined): void {
    const uid = service?.metadata.uid
    const before = this.#uids.get(key)
    if (before !== undefined && before !== uid) this.#pool.release(before)
    if (uid === undefined) this.#uids.delete(key)
    else this.#uids.set(key, uid)
    if (service !== undefined && uid !== undefined) this.#giveAddress(service, uid)
    this.#changed()
  }

  #giveAddress(service: Service, uid: string): void {
    const { type, loadBalancerClass, loadBalancerIP } = service.spec
    // Another load balancer's.
    if (loadBalancerClass !== undefined) return
    const present = service.status?.loadBalancer?.ingress?.map(({ ip }) => ip) ?? []
    if (type !== 'LoadBalancer' || service.metadata.deletionTimestamp !== undefined) {
      this.#pool.release(uid)
      if (present.length > 0) this.#write(service, undefined)
      return
    }
    const address = this.#pool.grant(uid, loadBalancerIP)
    if (present.join() !== (address ?? '')) this.#write(service, address)
  }

  #write(service: Service, address: string | undefined): void {
    const { namespace, name, uid } = service.metadata
    const ingress = address === undefined ? null : [{ ip: address, ipMode: 'VIP' }]
    const body = { metadata: { uid }, status: { loadBalancer: { ingress } } }
    this.#client
      .patch(`/api/v1/namespaces/${namespace}/services/${name}/status`, body, 'application/merge-patch+json')
      .catch((error: unknown) => this.#log(`service ${namespace}/${name}: ${String(error)}`))
  }

  #changed(): void {
    if (this.#due) return
    this.#due = true
    delay(gather)
      .then(() => {
        this.#due = false
        return this.#bringUpToDate()
      })
      .catch((error: unknown) => this.#log(`services: ${String(error)}`))
  }

  async #bringUpToDate(): Promise<void> {
    const slices = new Map<string, EndpointSlice[]>()
    for (const slice of this.#slices.all()) {
      const key = `${slice.metadata.namespace}/${slice.metadata.labels?.[SERVICE_LABEL] ?? ''}`
      const known = slices.get(key)
      if (known === undefined) slices.set(key, [slice])
      else known.push(slice)
    }
    const served = [...this.#services.all()]
      .map((service) => ({ service, forwards: forwardsOf(service, slices.get(keyOf(service)) ?? [], isPod) }))
      .filter(({ forwards }) => forwards.length > 0)
    this.#writeHosts(served.map(({ service }) => service))
    const rules = rulesOf(served.flatMap(({ forwards }) => forwards))
    if (rules === this.#rules) return
    this.#rules = rules
    await runTool('nft', ['-f', '-'], rules)
  }

  #writeHosts(services: readonly Service[]): void {
    const hosts = hostsOf(services)
    if (hosts === this.#hosts) return
    this.#hosts = hosts
    // In place: containers have this very file mounted.
    writeFileSync(this.#hostsFile, hosts)
  }
}

function hostsOf(services: readonly Service[]): string {
  const named = services.flatMap(({ metadata: { name, namespace }, spec: { clusterIP } }) => {
    if (clusterIP === undefined || clusterIP === '' || clusterIP === 'None') return []
    const short = `${name}.${namespace}`
    return [`${clusterIP} ${short} ${short}.svc ${short}.svc.cluster.local`]
  })
  const api = ['kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'].join(' ')
  return ['127.0.0.1 localhost', `${NODE} ${NODE_NAME}`, `${API_SERVICE} ${api}`, ...named, ''].join('\n')
}
