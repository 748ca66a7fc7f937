/**
 * Makes a Service for each XBackend that selects pods, and keeps it so: it is there for its EndpointSlices alone (apisx
 * EndpointSelectorBackend). Headless, since nobody connects to it, and of a name that nobody can know before, so that nobody relies on it.
 *
 * A dull writer, as InfraWriter: what is as it was asked for costs no call, what is not asked for any more is deleted, and
 * goes with its XBackend (ownerReferences).
 */
import { X_BACKEND_ANNOTATION } from '../api/x-backend.ts'
import type { KubeApi, KubeObject } from '../kube/kube-api.ts'
import type { Logger } from '../telemetry/logger.ts'
import { equal } from './drift.ts'
import type { ObservedInfra } from './infra-writer.ts'
import { isManaged, managedBy, proxyResources } from './proxy-manifests.ts'

export interface EndpointService {
  readonly namespace: string
  /** Of the XBackend. */
  readonly backend: string
  readonly uid: string
  readonly selector: Readonly<Record<string, string>>
  readonly port: number
}

const resource = proxyResources.service
/** What Kubernetes appends to a generated name has 5 characters, and a Service's may have 63. */
const longestStem = 48
/** Milliseconds after which the watch should have shown what was made. */
const unseenTime = 30_000

export class EndpointServiceWriter {
  readonly #api: KubeApi
  readonly #observed: ObservedInfra
  readonly #logger: Logger
  readonly #now: () => number
  /** Made, and not shown by the watch yet: until when it is waited for. */
  readonly #made = new Map<string, number>()

  /** @param now milliseconds */
  constructor(api: KubeApi, observed: ObservedInfra, logger: Logger, now: () => number) {
    this.#api = api
    this.#observed = observed
    this.#logger = logger
    this.#now = now
  }

  /** What could not be made is tried again by the next `write`. */
  async write(wanted: readonly EndpointService[]): Promise<void> {
    const found = this.#found()
    for (const service of wanted) {
      const key = keyOf(service.namespace, service.backend)
      const [first, ...others] = found.get(key) ?? []
      found.set(key, others)
      await this.#attempt('made', service, () => this.#writeOne(key, service, first))
    }
    for (const object of [...found.values()].flat()) {
      const { namespace = '', name, uid } = object.metadata
      const remove = () => this.#api.delete(resource, { namespace, name }, uid === undefined ? {} : { uid })
      await this.#attempt('deleted', { namespace, backend: backendOf(object) ?? '' }, remove)
    }
  }

  async #writeOne(key: string, service: EndpointService, observed: KubeObject | undefined): Promise<void> {
    const wanted = specOf(service)
    if (observed === undefined) {
      if ((this.#made.get(key) ?? 0) > this.#now()) return
      await this.#api.create(resource, manifestOf(service))
      this.#made.set(key, this.#now() + unseenTime)
      return
    }
    this.#made.delete(key)
    const { selector = {}, ports = [] } = (observed['spec'] ?? {}) as {
      readonly selector?: Record<string, string>
      readonly ports?: readonly object[]
    }
    if (equal(selector, wanted.selector) && equal(ports.map(shapeOf), wanted.ports.map(shapeOf))) return
    // A merge patch keeps what it does not name.
    const gone = Object.fromEntries(Object.keys(selector).map((label) => [label, null]))
    const { namespace = '', name } = observed.metadata
    await this.#api.patch(resource, { namespace, name }, { spec: { ...wanted, selector: { ...gone, ...wanted.selector } } })
  }

  /** Sorted by name, so that of several the same one stays. */
  #found(): Map<string, KubeObject[]> {
    const found = new Map<string, KubeObject[]>()
    const services = this.#observed.all().flatMap(({ resource: { kind }, object }) => (kind === resource.kind ? [object] : []))
    for (const object of services.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
      const backend = backendOf(object)
      if (backend === undefined || object.metadata.deletionTimestamp !== undefined) continue
      const key = keyOf(object.metadata.namespace ?? '', backend)
      found.set(key, [...(found.get(key) ?? []), object])
    }
    return found
  }

  async #attempt(
    what: string,
    { namespace, backend }: Pick<EndpointService, 'namespace' | 'backend'>,
    action: () => Promise<unknown>,
  ): Promise<void> {
    try {
      await action()
    } catch (error) {
      const reason = (error as Error).message
      this.#logger.warn(`the Service for an XBackend's endpoints could not be ${what}`, { backend: `${namespace}/${backend}`, reason })
    }
  }
}

/** Only what we made: others may write the same annotation. */
function backendOf(object: KubeObject): string | undefined {
  const { metadata } = object
  const owner = metadata.ownerReferences?.find(({ kind, controller }) => kind === 'XBackend' && controller === true)
  return isManaged(object) && owner !== undefined ? metadata.annotations?.[X_BACKEND_ANNOTATION] : undefined
}

/** Both protocols, since the route and not the XBackend says which one is spoken. */
function specOf({ selector, port }: EndpointService) {
  const ports = [
    { name: 'tcp', port, targetPort: port, protocol: 'TCP' },
    { name: 'udp', port, targetPort: port, protocol: 'UDP' },
  ]
  return { clusterIP: 'None', selector, ports }
}

function shapeOf(given: object): object {
  const { name, port, targetPort, protocol } = given as Record<string, unknown>
  return { name, port, targetPort, protocol }
}

function manifestOf(service: EndpointService): KubeObject {
  const { namespace, backend, uid } = service
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: '',
      generateName: `xbackend-${backend.replaceAll('.', '-').slice(0, longestStem)}-`,
      namespace,
      labels: managedBy,
      annotations: { [X_BACKEND_ANNOTATION]: backend },
      ownerReferences: [{ apiVersion: 'gateway.networking.x-k8s.io/v1alpha1', kind: 'XBackend', name: backend, uid, controller: true }],
    },
    spec: specOf(service),
  }
}

function keyOf(namespace: string, backend: string): string {
  return `${namespace}/${backend}`
}
