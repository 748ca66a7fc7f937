/**
 * The controller's end of one proxy's connection. It knows what the proxy serves, sends what turns that into what is
 * published, and waits for the answer before it sends more.
 */
import type { GatewayResult } from './in-process.ts'
import { deltaOf, emptyResources, type GatewayResources } from './gateway-resources.ts'
import type { FromController, FromProxy } from './messages.ts'

export interface Published {
  readonly version: string
  readonly resources: GatewayResources
}

/** What a proxy said of itself last. */
export interface ProxyState {
  readonly pod: string
  /** '' before its first configuration. */
  readonly version: string
  readonly result: GatewayResult | undefined
}

/** They share nearly everything with each other. */
const mostFormer = 16

export class ProxySession {
  readonly gateway: string
  readonly #send: (message: FromController) => void
  #state: ProxyState = { pod: '', version: '', result: undefined }
  /** What the proxy's version stands for, where that is known here. */
  #base: Published | undefined
  #published: Published | undefined
  /** What was published before, the last one at the end: a proxy that follows another controller may say that it serves any of these. */
  readonly #former: Published[] = []
  #underWay: { readonly number: number; readonly config: Published } | undefined
  #followsOther = false
  #greeted = false
  #lastNumber = 0

  constructor(gateway: string, send: (message: FromController) => void) {
    this.gateway = gateway
    this.#send = send
  }

  /** Undefined until the proxy has said who it is. */
  get state(): ProxyState | undefined {
    return this.#greeted ? this.#state : undefined
  }

  publish(published: Published): void {
    if (this.#published !== undefined && this.#published !== published) this.#former.push(this.#published)
    if (this.#former.length > mostFormer) this.#former.shift()
    this.#published = published
    this.#advance()
  }

  /** This controller's epoch has changed: whoever followed another may follow this one now. */
  reconsider(): void {
    this.#followsOther = false
    this.#advance()
  }

  /** True when what is known of the proxy has changed. */
  receive(message: FromProxy): boolean {
    switch (message.kind) {
      case 'beat':
        return false
      case 'hello':
        this.#greeted = true
        this.#state = { ...this.#state, pod: message.pod }
        return false
      case 'serves':
        this.#followsOther = false
        this.#state = { pod: this.#state.pod, version: message.version, result: message.result }
        this.#base = [this.#underWay?.config, this.#base, this.#published, ...this.#former].find((one) => one?.version === message.version)
        this.#answered(message.answers)
        return true
      case 'follows-other':
        this.#followsOther = true
        this.#answered(message.answers)
        return false
      case 'again':
        this.#followsOther = false
        this.#base = undefined
        this.#state = { ...this.#state, version: '' }
        this.#answered(message.answers)
        return true
    }
  }

  #answered(number: number | undefined): void {
    if (this.#underWay !== undefined && this.#underWay.number === number) this.#underWay = undefined
    this.#advance()
  }

  #advance(): void {
    const published = this.#published
    if (published === undefined || !this.#greeted || this.#followsOther || this.#underWay !== undefined) return
    if (published.version === this.#state.version) return
    const base = this.#base
    this.#lastNumber += 1
    this.#underWay = { number: this.#lastNumber, config: published }
    this.#send({
      kind: 'config',
      number: this.#lastNumber,
      from: base?.version ?? '',
      to: published.version,
      delta: deltaOf(base?.resources ?? emptyResources(this.gateway), published.resources),
    })
  }
}
