/**
 * Kubernetes Events for what a person should hear of: routes that are refused, references that do not resolve, Gateways
 * that cannot be programmed, and their recovery. One Event for each object, condition and reason; it is not said again
 * while it stays so, nor because only its message changed.
 */
import type { KubeApi, KubeObject, Resource } from '../kube/kube-api.ts'
import { microTime } from '../kube/micro-time.ts'
import type { Logger } from '../telemetry/logger.ts'
import { changeOf } from '../lib/list-change.ts'
import type { StoredCondition } from './merge-conditions.ts'

/** An object and the conditions of ours in its status, whoever they are about. */
export interface Judged {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string | undefined
  readonly conditions: readonly (StoredCondition & { /** A parent, a listener. */ readonly about?: string })[]
}

export interface EventWriterOptions {
  readonly api: Pick<KubeApi, 'create'>
  readonly logger: Logger
  readonly now: () => Date
  /** Shown as the reporter. */
  readonly controllerName: string
  readonly instance: string
}

const EVENTS: Resource = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true }
const loud: ReadonlySet<string> = new Set(['Accepted', 'ResolvedRefs', 'Programmed', 'PartiallyInvalid'])
/** What is on its way is no news. */
const passing: ReadonlySet<string> = new Set(['Pending', 'AddressNotAssigned'])
/** Bytes; the API takes 1,024. */
const longestMessage = 1_000
/** Events that wait: the rest is dropped, since the statuses say it all. */
const mostWaiting = 200

export class EventWriter {
  readonly #options: EventWriterOptions
  /** By object: what was said of it last, by condition. */
  readonly #said = new Map<string, ReadonlyMap<string, string>>()
  /** What was told last. */
  #heard: readonly Judged[] = []
  readonly #waiting: KubeObject[] = []
  #sending: Promise<void> | undefined
  #number = 0

  constructor(options: EventWriterOptions) {
    this.#options = options
  }

  /** All objects that are judged now; one that is the same object as before is not looked at again. Never blocks. */
  tell(judged: readonly Judged[]): void {
    const { removed, added: fresh } = changeOf(this.#heard, judged)
    this.#heard = judged
    const keys = new Set(fresh.map(keyOf))
    for (const one of removed) if (!keys.has(keyOf(one))) this.#said.delete(keyOf(one))
    for (const one of fresh) {
      const key = keyOf(one)
      const said = this.#said.get(key)
      const now = new Map<string, string>()
      for (const condition of one.conditions) {
        if (!loud.has(condition.type)) continue
        const about = `${condition.type} ${condition.about ?? ''}`
        const bad = condition.type === 'PartiallyInvalid' ? condition.status === 'True' : condition.status === 'False'
        if (passing.has(condition.reason ?? '')) {
          const known = said?.get(about)
          if (known !== undefined) now.set(about, known)
        } else if (bad) {
          now.set(about, condition.reason ?? '')
          if (said?.get(about) !== condition.reason) this.#add(one, condition, 'Warning')
        } else if (said?.has(about) === true) this.#add(one, condition, 'Normal')
      }
      if (now.size > 0) this.#said.set(key, now)
      else this.#said.delete(key)
    }
    if (this.#waiting.length > 0) {
      this.#sending ??= this.#send().finally(() => {
        this.#sending = undefined
      })
    }
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    await this.#sending
  }

  #add({ apiVersion, kind, namespace, name, uid }: Judged, condition: Judged['conditions'][number], type: 'Normal' | 'Warning'): void {
    if (this.#waiting.length >= mostWaiting) return
    const { now, controllerName, instance } = this.#options
    const time = now()
    this.#number += 1
    const about = condition.about === undefined ? '' : `${condition.about}: `
    this.#waiting.push({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        namespace: namespace === '' ? 'default' : namespace,
        name: `${name.slice(0, 200)}.${time.getTime().toString(16)}${this.#number.toString(16)}`,
      },
      involvedObject: { apiVersion, kind, name, ...(namespace !== '' && { namespace }), ...(uid !== undefined && { uid }) },
      reason: condition.reason ?? condition.type,
      message: `${about}${condition.message ?? ''}`.slice(0, longestMessage),
      type,
      action: condition.type,
      eventTime: microTime(time),
      reportingComponent: controllerName,
      reportingInstance: instance,
    })
  }

  async #send(): Promise<void> {
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      try {
        await this.#options.api.create(EVENTS, event)
      } catch (error) {
        this.#options.logger.debug('an event could not be written', { reason: (error as Error).message })
      }
    }
  }
}

function keyOf({ kind, namespace, name, uid }: Judged): string {
  return `${kind}/${namespace}/${name}/${uid ?? ''}`
}
