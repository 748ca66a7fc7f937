/**
 * node/: what makes pods run without images. It binds pods to the one node, runs their containers as processes in network namespaces
 * and root folders of their own, and tells the API server how they are. It knows nothing of Gateways.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { ApiClient } from '../api-client.ts'
import { KUBELET_PORT, NODE, NODE_NAME, podAddress } from '../addresses.ts'
import type { DataObject, KubeObject, Pod } from '../objects.ts'
import { keyOf } from '../objects.ts'
import { Watched } from '../watched.ts'
import type { ContainerLog } from './container-log.ts'
import type { NamespaceData } from './environment.ts'
import type { Images } from './images.ts'
import { PodRun } from './pod-run.ts'

/** Tokens are looked at that often; a changed object is at once. */
const refreshEvery = 30_000

export class NodeAgent {
  readonly #client: ApiClient
  readonly #images: Images
  readonly #folder: string
  readonly #hostsFile: string
  readonly #log: (line: string) => void
  readonly #pods: Watched<Pod>
  readonly #secrets: Watched<DataObject>
  readonly #configMaps: Watched<DataObject>
  /** By uid: two pods of one name may overlap for a moment. */
  readonly #runs = new Map<string, PodRun>()
  /** By namespace and name, the uid of the pod that has the name now. */
  readonly #uids = new Map<string, string>()
  readonly #bound = new Set<string>()
  #addresses = 0

  /** `hostsFile` is what pods see as /etc/hosts. */
  constructor(client: ApiClient, images: Images, folder: string, hostsFile: string, log: (line: string) => void) {
    this.#client = client
    this.#images = images
    this.#folder = folder
    this.#hostsFile = hostsFile
    this.#log = log
    this.#pods = new Watched(client, '/api/v1/pods', (key, pod) => this.#podChanged(key, pod))
    this.#secrets = new Watched(client, '/api/v1/secrets', (_key, secret) => this.#dataChanged(secret))
    this.#configMaps = new Watched(client, '/api/v1/configmaps', (_key, configMap) => this.#dataChanged(configMap))
  }

  async start(): Promise<void> {
    await this.#register()
    await Promise.all([this.#secrets.start(), this.#configMaps.start()])
    await this.#pods.start()
    setInterval(() => this.#refreshAll(() => true), refreshEvery).unref()
  }

  /** The log of a container, by default the pod's first one. */
  logOf(namespace: string, pod: string, container: string | undefined, previous: boolean): ContainerLog | undefined {
    return this.#runs.get(this.#uids.get(`${namespace}/${pod}`) ?? '')?.log(container, previous)
  }

  async #register(): Promise<void> {
    await this.#client.post('/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: NODE_NAME, labels: { 'kubernetes.io/hostname': NODE_NAME, 'kubernetes.io/os': 'linux' } },
    })
    const room = { cpu: '64', memory: '64Gi', pods: '5000' }
    const now = new Date().toISOString()
    const ready = { type: 'Ready', status: 'True', reason: 'NodeIsRun', lastHeartbeatTime: now, lastTransitionTime: now }
    const status = {
      capacity: room,
      allocatable: room,
      addresses: [
        { type: 'InternalIP', address: NODE },
        { type: 'Hostname', address: NODE_NAME },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: KUBELET_PORT } },
      conditions: [ready],
    }
    await this.#client.patch(`/api/v1/nodes/${NODE_NAME}/status`, { status }, 'application/merge-patch+json')
    // The node admission of the API server taints every new node; nobody else here would take it off.
    await this.#client.patch(`/api/v1/nodes/${NODE_NAME}`, { spec: { taints: null } }, 'application/merge-patch+json')
  }

  #podChanged(key: string, pod: Pod | undefined): void {
    const known = this.#uids.get(key)
    const uid = pod?.metadata.uid
    if (known !== undefined && known !== uid) this.#gone(key, known)
    if (pod === undefined || uid === undefined) return
    const run = this.#runs.get(uid)
    if (run !== undefined) this.#update(run, pod)
    else if (pod.spec.nodeName === undefined) this.#bind(pod, uid)
    else if (pod.spec.nodeName === NODE_NAME) this.#begin(key, pod, uid)
  }

  #bind(pod: Pod, uid: string): void {
    if (this.#bound.has(uid) || pod.metadata.deletionTimestamp !== undefined) return
    this.#bound.add(uid)
    const { namespace, name } = pod.metadata
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, uid }, target: { kind: 'Node', name: NODE_NAME } }
    this.#client.post(`/api/v1/namespaces/${namespace}/pods/${name}/binding`, binding).catch((error: unknown) => {
      // Deleted meanwhile, or the API server is away: then the next list tries again.
      this.#bound.delete(uid)
      this.#log(`pod ${namespace}/${name} was not bound: ${String(error)}`)
    })
  }

  #begin(key: string, pod: Pod, uid: string): void {
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return
    const run = new PodRun(pod, {
      client: this.#client,
      images: this.#images,
      data: this.#dataOf(pod.metadata.namespace ?? ''),
      hostsFile: this.#hostsFile,
      folder: join(this.#folder, uid),
      id: randomBytes(5).toString('hex'),
      address: podAddress(this.#addresses++),
      log: this.#log,
    })
    this.#runs.set(uid, run)
    this.#uids.set(key, uid)
    run.start()
    this.#update(run, pod)
  }

  #update(run: PodRun, pod: Pod): void {
    const alreadyStopping = run.isStopping
    const stopping = run.update(pod)
    if (stopping !== undefined && !alreadyStopping) this.#forgetAfter(run, stopping)
  }

  #gone(key: string, uid: string): void {
    this.#uids.delete(key)
    this.#bound.delete(uid)
    const run = this.#runs.get(uid)
    if (run !== undefined) this.#forgetAfter(run, run.abandon())
  }

  #forgetAfter(run: PodRun, ended: Promise<void>): void {
    ended
      .catch((error: unknown) => this.#log(`a pod did not end as it should: ${String(error)}`))
      .finally(() => this.#runs.delete(run.uid))
      .catch(() => {})
  }

  #dataOf(namespace: string): NamespaceData {
    return {
      secret: (name) => this.#secrets.get(`${namespace}/${name}`),
      configMap: (name) => this.#configMaps.get(`${namespace}/${name}`),
    }
  }

  #dataChanged(object: KubeObject | undefined): void {
    if (object === undefined) return
    const namespace = `${object.metadata.namespace}/`
    this.#refreshAll((key) => key.startsWith(namespace))
  }

  #refreshAll(concerns: (key: string) => boolean): void {
    for (const pod of this.#pods.all()) {
      if (concerns(keyOf(pod))) void this.#runs.get(pod.metadata.uid ?? '')?.refreshVolumes()
    }
  }
}
