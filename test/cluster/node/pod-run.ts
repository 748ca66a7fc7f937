/** A pod from its binding to its end: network, volumes, containers, status. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiError } from '../api-client.ts'
import type { ApiClient } from '../api-client.ts'
import { NODE } from '../addresses.ts'
import type { Pod } from '../objects.ts'
import type { ContainerLog } from './container-log.ts'
import { ContainerRun } from './container-run.ts'
import type { NamespaceData } from './environment.ts'
import type { Images } from './images.ts'
import { makePodNetwork } from './pod-network.ts'
import type { PodNetwork } from './pod-network.ts'
import { Volumes } from './volumes.ts'
import type { Token } from './volumes.ts'

export interface PodSurroundings {
  readonly client: ApiClient
  readonly images: Images
  readonly data: NamespaceData
  readonly hostsFile: string
  /** A folder of this pod alone. */
  readonly folder: string
  /** Names its network namespace; see makePodNetwork. */
  readonly id: string
  readonly address: string
  readonly log: (line: string) => void
}

interface Condition {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly lastTransitionTime: string
}

/** Objects that a volume waits for are looked for again when they change, and in between. */
const volumeRetry = 1_000
const defaultGrace = 30

export class PodRun {
  #pod: Pod
  readonly #surroundings: PodSurroundings
  readonly #volumes: Volumes
  #network: PodNetwork | undefined
  #containers: readonly ContainerRun[] = []
  /** Why there are no containers yet. */
  #waiting: { readonly reason: string; readonly message?: string } = { reason: 'ContainerCreating' }
  #conditions: readonly Condition[] = []
  #started: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined
  readonly #startTime = new Date().toISOString()
  #statusDue = false
  #writing: Promise<void> = Promise.resolve()

  constructor(pod: Pod, surroundings: PodSurroundings) {
    this.#pod = pod
    this.#surroundings = surroundings
    const request = (audience: string | undefined, seconds: number): Promise<Token> => this.#requestToken(audience, seconds)
    this.#volumes = new Volumes(join(surroundings.folder, 'volumes'), surroundings.address, surroundings.data, request)
  }

  get uid(): string {
    return this.#pod.metadata.uid ?? ''
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined
  }

  start(): void {
    this.#started = this.#start().catch((error: unknown) => {
      this.#waiting = { reason: 'CreatePodSandboxError', message: (error as Error).message }
      this.#surroundings.log(`pod ${this.#name}: ${String(error)}`)
      this.#changed()
    })
  }

  /** Takes the pod as it is now. Labels may have changed; a deletion begins the end, whose promise is returned. */
  update(pod: Pod): Promise<void> | undefined {
    this.#pod = pod
    if (pod.metadata.deletionTimestamp !== undefined && this.#stopping === undefined) {
      const seconds = pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? defaultGrace
      this.#stopping = this.#stop(seconds * 1000)
    } else {
      void this.refreshVolumes()
    }
    return this.#stopping
  }

  /** The object is gone already: nobody waits for anything. */
  async abandon(): Promise<void> {
    this.#stopping ??= this.#stop(0)
    for (const container of this.#containers) container.kill()
    await this.#stopping
  }

  /** Writes what changed in the objects that it mounts. What is missing now stays as it was. */
  async refreshVolumes(): Promise<void> {
    if (this.#containers.length === 0 || this.isStopping) return
    await this.#volumes.bringUpToDate(this.#pod).catch(() => {})
  }

  log(container: string | undefined, previous: boolean): ContainerLog | undefined {
    const run = container === undefined ? this.#containers[0] : this.#containers.find((one) => one.container.name === container)
    return run?.log(previous)
  }

  get #name(): string {
    return `${this.#pod.metadata.namespace}/${this.#pod.metadata.name}`
  }

  get #path(): string {
    return `/api/v1/namespaces/${this.#pod.metadata.namespace}/pods/${this.#pod.metadata.name}`
  }

  async #start(): Promise<void> {
    const { spec } = this.#pod
    if (spec.hostNetwork === true) throw new Error('hostNetwork is not supported by this node')
    if ((spec.initContainers ?? []).length > 0) throw new Error('init containers are not supported by this node')
    this.#network = await makePodNetwork(this.#surroundings.id, this.#surroundings.address)
    await this.#fillVolumes()
    if (this.isStopping) return
    this.#containers = spec.containers.map((container) => this.#containerRun(container))
    for (const container of this.#containers) container.start()
  }

  #containerRun(container: Pod['spec']['containers'][number]): ContainerRun {
    const { images, data, address, hostsFile, folder } = this.#surroundings
    const root = join(folder, 'root', container.name)
    mkdirSync(root, { recursive: true })
    const folderOf = (volume: string): string => this.#volumes.folderOf(volume)
    const place = { network: this.#network?.path ?? '', root, hostsFile, folderOf }
    return new ContainerRun(this.#pod, container, { images, data, address, place, onChange: () => this.#changed() })
  }

  async #fillVolumes(): Promise<void> {
    while (!this.isStopping) {
      try {
        await this.#volumes.bringUpToDate(this.#pod)
        return
      } catch (error) {
        this.#waiting = { reason: 'ContainerCreating', message: `MountVolume.SetUp failed: ${(error as Error).message}` }
        this.#changed()
        await delay(volumeRetry)
      }
    }
  }

  async #stop(grace: number): Promise<void> {
    await this.#started
    await Promise.all(this.#containers.map((container) => container.stop(grace)))
    await this.#writing
    await this.#network?.remove()
    rmSync(this.#surroundings.folder, { recursive: true, force: true })
    const options = { gracePeriodSeconds: 0, preconditions: { uid: this.uid } }
    await this.#surroundings.client.delete(this.#path, options).catch((error: unknown) => {
      if (!isGone(error)) this.#surroundings.log(`pod ${this.#name}: ${String(error)}`)
    })
  }

  async #requestToken(audience: string | undefined, expirationSeconds: number): Promise<Token> {
    const { metadata, spec } = this.#pod
    const path = `/api/v1/namespaces/${metadata.namespace}/serviceaccounts/${spec.serviceAccountName ?? 'default'}/token`
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: metadata.name, uid: metadata.uid }
    const answer = await this.#surroundings.client.post<{
      readonly status: { readonly token: string; readonly expirationTimestamp: string }
    }>(path, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: audience === undefined ? [] : [audience], expirationSeconds, boundObjectRef },
    })
    const left = Date.parse(answer.status.expirationTimestamp) - Date.now()
    return { value: answer.status.token, renewAt: Date.now() + left * 0.8 }
  }

  #changed(): void {
    if (this.#statusDue) return
    this.#statusDue = true
    // What changes in one turn of the event loop goes in one write, and writes follow each other.
    this.#writing = this.#writing.then(() => this.#writeStatus())
  }

  async #writeStatus(): Promise<void> {
    await delay(1)
    this.#statusDue = false
    try {
      await this.#surroundings.client.patch(
        `${this.#path}/status`,
        { metadata: { uid: this.uid }, status: this.#status() },
        'application/merge-patch+json',
      )
    } catch (error) {
      if (isGone(error)) return
      await delay(500)
      if (!this.#statusDue && !this.isStopping) this.#changed()
    }
  }

  #status(): object {
    const { address } = this.#surroundings
    const { containers } = this.#pod.spec
    const runs = this.#containers
    const statuses =
      runs.length > 0
        ? runs.map((run) => run.status())
        : containers.map(({ name, image }) => ({
            name,
            image,
            imageID: '',
            ready: false,
            started: false,
            restartCount: 0,
            state: { waiting: this.#waiting },
            lastState: {},
          }))
    const ready = runs.length > 0 && runs.every(({ isReady }) => isReady)
    this.#conditions = [
      this.#condition('PodReadyToStartContainers', this.#network !== undefined),
      this.#condition('Initialized', true),
      this.#condition('Ready', ready),
      this.#condition('ContainersReady', ready),
      this.#condition('PodScheduled', true),
    ]
    return {
      phase: this.#phase(),
      conditions: this.#conditions,
      hostIP: NODE,
      hostIPs: [{ ip: NODE }],
      ...(this.#network === undefined ? {} : { podIP: address, podIPs: [{ ip: address }] }),
      startTime: this.#startTime.replace(/\.\d+Z$/, 'Z'),
      containerStatuses: statuses,
    }
  }

  #phase(): string {
    const codes = this.#containers.map(({ finalExitCode }) => finalExitCode)
    if (codes.length > 0 && codes.every((code) => code !== undefined)) return codes.every((code) => code === 0) ? 'Succeeded' : 'Failed'
    return this.#containers.length > 0 && this.#containers.every((run) => run.hasRun) ? 'Running' : 'Pending'
  }

  #condition(type: string, holds: boolean): Condition {
    const status = holds ? 'True' : 'False'
    const known = this.#conditions.find((condition) => condition.type === type)
    return known?.status === status ? known : { type, status, lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z') }
  }
}

/** The pod is not there any more, or another one has its name. */
function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 409)
}
