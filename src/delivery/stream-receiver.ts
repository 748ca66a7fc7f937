/**
 * The proxy's side of delivery: a connection to each controller, the configuration of the one with the greatest epoch
 * applied, and the outcome told to all of them.
 *
 * While no controller is there, or none has anything to say, what was served last is served on.
 */
import type { Placement } from '../config/placement.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { MetricFamily } from '../telemetry/metrics.ts'
import { emptyResources, type GatewayResources, withDelta } from './gateway-resources.ts'
import type { DeliveryTarget, GatewayResult } from './in-process.ts'
import { type FromController, type FromProxy, protocol } from './messages.ts'
import { ResourceMap } from './resource-map.ts'
import { type ProxyCredentials, StreamClient } from './stream-client.ts'

export interface StreamReceiverOptions {
  /** `namespace/name` */
  readonly gateway: string
  /** Of this process, for the log of others. */
  readonly pod: string
  /** Where a controller answers, one of several perhaps; they tell of each other. */
  readonly controller: { readonly address: string; readonly port: number }
  readonly credentials: () => ProxyCredentials
  readonly target: DeliveryTarget
  readonly placement: Placement
  readonly logger: Logger
  readonly random: () => number
  /** After each configuration that is served. */
  readonly onServing: (served: ServedConfig) => void
}

export interface ServedConfig {
  readonly version: string
  readonly resources: GatewayResources
}

interface Controller {
  readonly client: StreamClient
  isUp: boolean
  epoch: number
  /** It was told that another one is followed. */
  passedOver: boolean
}

type Configuration = Extract<FromController, { readonly kind: 'config' }>

export class StreamReceiver {
  readonly #options: StreamReceiverOptions
  readonly #resources = new ResourceMap()
  /** By address. */
  readonly #controllers = new Map<string, Controller>()
  /** The address that was given: it leads to any controller, and is left once one is known by its own. */
  #entrance: Controller | undefined
  #served: ServedConfig
  #result: GatewayResult | undefined
  #turn: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: StreamReceiverOptions) {
    this.#options = options
    this.#served = { version: '', resources: emptyResources(options.gateway) }
  }

  /** Serves what a process before this one served last. Call before `start`. */
  async restore(served: ServedConfig): Promise<void> {
    await this.#apply(served)
  }

  start(): void {
    this.#enter()
  }

  /** The data plane has something new to say of what it serves: a port could be opened at last. */
  reported(results: ReadonlyMap<string, GatewayResult>): void {
    const result = results.get(this.#options.gateway)
    if (result === undefined) return
    this.#result = result
    this.#tellAll()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const { client } of this.#all()) client.stop()
    await this.#turn
  }

  /** Where the ports of the specification listen. */
  get ports(): GatewayResult['ports'] {
    return this.#result?.ports ?? []
  }

  metrics(): readonly MetricFamily[] {
    return [
      {
        kind: 'gauge',
        name: 'gatewright_controllers',
        help: 'Controllers that this proxy knows, by whether there is a connection.',
        labels: ['connected'],
        samples: () => this.#all().map(({ isUp }) => ({ labels: { connected: String(isUp) }, value: 1 })),
      },
      {
        kind: 'gauge',
        name: 'gatewright_config_info',
        help: 'Always 1; the version of the configuration that each Gateway serves.',
        labels: ['gateway', 'version'],
        samples: () => [{ labels: { gateway: this.#options.gateway, version: this.#served.version }, value: 1 }],
      },
    ]
  }

  #all(): readonly Controller[] {
    return [...(this.#entrance === undefined ? [] : [this.#entrance]), ...this.#controllers.values()]
  }

  #enter(): void {
    const { address, port } = this.#options.controller
    this.#entrance = this.#follow(address, port)
  }

  #follow(address: string, port: number): Controller {
    const { credentials, logger, random } = this.#options
    const client = new StreamClient({
      address,
      port,
      credentials,
      logger,
      random,
      onUp: () => this.#up(controller),
      onMessage: (message) => this.#receive(controller, message),
      onDown: () => this.#down(controller),
    })
    const controller: Controller = { client, isUp: false, epoch: 0, passedOver: false }
    client.start()
    return controller
  }

  #up(controller: Controller): void {
    controller.isUp = true
    controller.epoch = 0
    controller.passedOver = false
    controller.client.send({ kind: 'hello', protocol, pod: this.#options.pod })
    controller.client.send(this.#state())
    if (controller === this.#entrance || this.#entrance === undefined) return
    this.#entrance.client.stop()
    this.#entrance = undefined
  }

  #down(controller: Controller): void {
    controller.isUp = false
    this.#reconsider()
    if (this.#stopped || this.#entrance !== undefined || this.#all().some(({ isUp }) => isUp)) return
    this.#enter()
  }

  #receive(controller: Controller, message: FromController): void {
    switch (message.kind) {
      case 'beat':
        break
      case 'epoch':
        controller.epoch = message.epoch
        this.#reconsider()
        break
      case 'peers':
        this.#meet(message.addresses)
        break
      case 'config':
        this.#inTurn(() => this.#configure(controller, message))
        break
    }
  }

  #meet(addresses: readonly string[]): void {
    if (addresses.length === 0) return
    for (const [peer, { client }] of this.#controllers) {
      if (addresses.includes(peer)) continue
      client.stop()
      this.#controllers.delete(peer)
    }
    for (const peer of addresses) {
      if (this.#controllers.has(peer)) continue
      const colon = peer.lastIndexOf(':')
      this.#controllers.set(peer, this.#follow(peer.slice(0, colon).replace(/^\[|\]$/g, ''), Number(peer.slice(colon + 1))))
    }
  }

  /** The greatest epoch among those that are there. */
  #isFollowed(controller: Controller): boolean {
    return !this.#all().some(({ isUp, epoch }) => isUp && epoch > controller.epoch)
  }

  /** Whoever was passed over and is followed now may say again what it said. */
  #reconsider(): void {
    for (const controller of this.#all()) {
      if (!controller.isUp || !controller.passedOver || !this.#isFollowed(controller)) continue
      controller.passedOver = false
      controller.client.send(this.#state())
    }
  }

  async #configure(controller: Controller, { number, from, to, delta }: Configuration): Promise<void> {
    const { client } = controller
    if (!this.#isFollowed(controller)) {
      controller.passedOver = true
      return client.send({ kind: 'follows-other', answers: number })
    }
    const { gateway, logger } = this.#options
    if (to === this.#served.version) return client.send({ ...this.#state(), answers: number })
    if (from !== '' && from !== this.#served.version) return client.send({ kind: 'again', answers: number })
    let resources: GatewayResources
    try {
      resources = withDelta(from === '' ? emptyResources(gateway) : this.#served.resources, delta)
    } catch (error) {
      logger.warn('a configuration did not fit and is asked for again', { reason: (error as Error).message })
      return client.send({ kind: 'again', answers: number })
    }
    await this.#apply({ version: to, resources })
    client.send({ ...this.#state(), answers: number })
    this.#tellAll(client)
  }

  async #apply({ version, resources }: ServedConfig): Promise<void> {
    const { target, placement, gateway, onServing } = this.#options
    // What equals what was there before stays the same objects, also where everything was sent.
    const configs = this.#resources.adopt([resources.config])
    const results = await target.apply(configs, resources.keys, placement)
    this.#served = { version, resources: { ...resources, config: configs[0] ?? resources.config } }
    this.#result = results.get(gateway)
    onServing(this.#served)
  }

  #state(): Extract<FromProxy, { readonly kind: 'serves' }> {
    return { kind: 'serves', version: this.#served.version, ...(this.#result !== undefined && { result: this.#result }) }
  }

  #tellAll(except?: StreamClient): void {
    for (const { client, isUp } of this.#all()) if (isUp && client !== except) client.send(this.#state())
  }

  #inTurn(action: () => Promise<void>): void {
    this.#turn = this.#turn.then(async () => {
      if (this.#stopped) return
      try {
        await action()
      } catch (error) {
        this.#options.logger.error('a configuration could not be applied; what was served before is served on', {
          reason: (error as Error).message,
        })
      }
    })
  }
}
