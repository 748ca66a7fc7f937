/** A container from its first start to its last end: process, restarts with back-off, probes, status, log. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Container, Pod } from '../objects.ts'
import { ContainerLog } from './container-log.ts'
import { startContainer } from './container-process.ts'
import type { ContainerPlace, ContainerProcess } from './container-process.ts'
import { environmentOf } from './environment.ts'
import type { NamespaceData } from './environment.ts'
import type { Images } from './images.ts'
import { keepProbing } from './probe.ts'

/** As in `status.containerStatuses`. */
export type ContainerState =
  | { readonly waiting: { readonly reason: string; readonly message?: string } }
  | { readonly running: { readonly startedAt: string } }
  | { readonly terminated: Terminated }

interface Terminated {
  readonly exitCode: number
  readonly signal?: number
  readonly reason: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly containerID: string
}

export interface ContainerSurroundings {
  readonly images: Images
  readonly data: NamespaceData
  readonly address: string
  readonly place: ContainerPlace
  readonly onChange: () => void
}

/** The first restart is at once; then as a kubelet does it, but with a tenth of its times: tests wait for it. */
const backOff = { first: 1_000, longest: 30_000, forgottenAfter: 60_000 }
const retryAfter = 1_000
/** An exit by signal N is exit code 128 + N. */
const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }

export class ContainerRun {
  readonly container: Container
  readonly #surroundings: ContainerSurroundings
  #pod: Pod
  #state: ContainerState = { waiting: { reason: 'ContainerCreating' } }
  #last: Terminated | undefined
  #restarts = 0
  #ready = false
  #started = false
  #process: ContainerProcess | undefined
  #log = new ContainerLog()
  #previousLog: ContainerLog | undefined
  readonly #stopping = new AbortController()
  #ended: Promise<void> = Promise.resolve()

  constructor(pod: Pod, container: Container, surroundings: ContainerSurroundings) {
    this.#pod = pod
    this.container = container
    this.#surroundings = surroundings
  }

  get isReady(): boolean {
    return this.#ready
  }

  /** The exit code of a container that will not run again. */
  get finalExitCode(): number | undefined {
    return 'terminated' in this.#state && !this.#runsAgain(this.#state.terminated.exitCode) ? this.#state.terminated.exitCode : undefined
  }

  get isRunning(): boolean {
    return 'running' in this.#state
  }

  /** Whether it was started ever, as the pod's phase asks. */
  get hasRun(): boolean {
    return this.isRunning || this.#last !== undefined
  }

  log(previous: boolean): ContainerLog | undefined {
    return previous ? this.#previousLog : this.#log
  }

  /** An entry of `status.containerStatuses`. */
  status(): object {
    const { name, image } = this.container
    const id = `process://${this.#pod.metadata.uid}/${name}/${this.#restarts}`
    return {
      name,
      image,
      imageID: image,
      containerID: this.isRunning ? id : '',
      ready: this.#ready,
      started: this.#started,
      restartCount: this.#restarts,
      state: this.#state,
      lastState: this.#last === undefined ? {} : { terminated: this.#last },
    }
  }

  start(): void {
    this.#ended = this.#live()
  }

  /** SIGTERM to the process, SIGKILL to all that is left of it after the grace period in milliseconds. */
  async stop(grace: number): Promise<void> {
    this.#stopping.abort()
    const process = this.#process
    if (process !== undefined) {
      process.kill('SIGTERM')
      const timer = setTimeout(() => killGroup(process), grace)
      await this.#ended
      clearTimeout(timer)
    }
    await this.#ended
  }

  /** For one that is being stopped: does not wait any longer. */
  kill(): void {
    if (this.#process !== undefined) killGroup(this.#process)
  }

  async #live(): Promise<void> {
    let pause = 0
    while (!this.#stopping.signal.aborted) {
      const process = await this.#startWhenPossible()
      if (process === undefined) return
      const began = Date.now()
      const exitCode = await this.#run(process)
      if (!this.#runsAgain(exitCode) || this.#stopping.signal.aborted) return
      if (Date.now() - began > backOff.forgottenAfter) pause = 0
      if (pause > 0) {
        this.#set({ waiting: { reason: 'CrashLoopBackOff', message: `back-off ${pause / 1000}s restarting failed container` } })
        await delay(pause, undefined, { signal: this.#stopping.signal }).catch(() => {})
      }
      pause = Math.min(Math.max(pause * 2, backOff.first), backOff.longest)
      this.#restarts += 1
    }
  }

  #runsAgain(exitCode: number): boolean {
    const { restartPolicy = 'Always' } = this.#pod.spec
    return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0)
  }

  /** Undefined when it was stopped before it could start. */
  async #startWhenPossible(): Promise<ContainerProcess | undefined> {
    const { images, data, address, place } = this.#surroundings
    while (!this.#stopping.signal.aborted) {
      const image = images(this.container.image)
      if (image === undefined) {
        this.#set({ waiting: { reason: 'ErrImagePull', message: `no program is known for image "${this.container.image}"` } })
      } else {
        try {
          const environment = environmentOf(this.#pod, this.container, address, data)
          return startContainer(this.#pod, this.container, image, environment, place)
        } catch (error) {
          this.#set({ waiting: { reason: 'CreateContainerConfigError', message: (error as Error).message } })
        }
      }
      await delay(retryAfter, undefined, { signal: this.#stopping.signal }).catch(() => {})
    }
    return undefined
  }

  async #run(process: ContainerProcess): Promise<number> {
    const startedAt = now()
    this.#process = process
    this.#previousLog = this.#restarts === 0 ? undefined : this.#log
    this.#log = new ContainerLog()
    process.stdout.setEncoding('utf8').on('data', (text: string) => this.#log.write('stdout', text))
    process.stderr.setEncoding('utf8').on('data', (text: string) => this.#log.write('stderr', text))
    const probes = new AbortController()
    const closed = untilClosed(process)
    this.#set({ running: { startedAt } })
    this.#probe(probes.signal)
    const { exitCode, signal } = await closed
    probes.abort()
    // Children that it left would keep its ports.
    killGroup(process)
    this.#process = undefined
    this.#ready = false
    this.#started = false
    this.#log.end()
    this.#last = {
      exitCode,
      ...(signal === undefined ? {} : { signal }),
      reason: exitCode === 0 ? 'Completed' : 'Error',
      startedAt,
      finishedAt: now(),
      containerID: `process://${this.#pod.metadata.uid}/${this.container.name}/${this.#restarts}`,
    }
    this.#set({ terminated: this.#last })
    return exitCode
  }

  #probe(signal: AbortSignal): void {
    const { startupProbe } = this.container
    if (startupProbe === undefined) {
      this.#begin(signal)
      return
    }
    const started = new AbortController()
    const either = AbortSignal.any([signal, started.signal])
    // Unhealthy at first, so that failures up to the threshold are nothing new; more than those end it.
    const onChange = (healthy: boolean): void => {
      if (!healthy) return
      started.abort()
      this.#begin(signal)
    }
    void this.#keepProbing(startupProbe, either, onChange, false)
    const patience = (startupProbe.initialDelaySeconds ?? 0) + (startupProbe.periodSeconds ?? 10) * (startupProbe.failureThreshold ?? 3)
    delay(patience * 1000, undefined, { signal: either }).then(
      () => this.#restart(),
      () => {},
    )
  }

  #begin(signal: AbortSignal): void {
    const { readinessProbe, livenessProbe } = this.container
    this.#started = true
    this.#ready = readinessProbe === undefined
    this.#surroundings.onChange()
    if (readinessProbe !== undefined) {
      const onChange = (healthy: boolean): void => {
        this.#ready = healthy
        this.#surroundings.onChange()
      }
      void this.#keepProbing(readinessProbe, signal, onChange, false)
    }
    if (livenessProbe !== undefined) {
      void this.#keepProbing(livenessProbe, signal, (healthy) => (healthy ? undefined : this.#restart()), true)
    }
  }

  async #keepProbing(
    probe: NonNullable<Container['readinessProbe']>,
    signal: AbortSignal,
    onChange: (healthy: boolean) => void,
    first: boolean,
  ): Promise<void> {
    try {
      await keepProbing(probe, this.container, this.#surroundings.address, signal, onChange, first)
    } catch (error) {
      // A probe that this node cannot run: the pod is not ready, and its log says why.
      this.#log.write('stderr', `probe: ${(error as Error).message}\n`)
    }
  }

  /** As the probes demand it: its end leads to a new start. */
  #restart(): void {
    const process = this.#process
    if (process === undefined) return
    process.kill('SIGTERM')
    setTimeout(() => killGroup(process), (this.#pod.spec.terminationGracePeriodSeconds ?? 30) * 1000).unref()
  }

  #set(state: ContainerState): void {
    if (JSON.stringify(state) === JSON.stringify(this.#state)) return
    this.#state = state
    this.#surroundings.onChange()
  }
}

function untilClosed(process: ContainerProcess): Promise<{ readonly exitCode: number; readonly signal?: number }> {
  return new Promise((resolve) => {
    process.once('error', () => resolve({ exitCode: 128 }))
    process.once('exit', (code, signal) => {
      const number = signal === null ? undefined : (signalNumbers[signal] ?? 0)
      resolve(number === undefined ? { exitCode: code ?? 128 } : { exitCode: 128 + number, signal: number })
    })
  })
}

/** Each container is a process group of its own. */
function killGroup({ pid }: ContainerProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nothing of it is left.
  }
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z')
}
