/**
 * `run` as one object: files in, a working gateway out, and after each pass a `View` of both.
 *
 * One pass: read the files, translate them as a cluster would, lay the kindnesses of a laptop over them, translate
 * again, find a place for each port, hand the configurations to the data plane, and conclude the statuses from what it
 * now serves. Both translations are kept: the first says what a cluster would say, the second what happens here.
 */
import { ObservedSnapshot } from '../cluster/observed-snapshot.ts'
import type { GatewayObservation, Observations } from '../cluster/observations.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import type { Acknowledgement, Acknowledgements, InProcessDelivery } from '../delivery/in-process.ts'
import type { Router } from '../routing/router.ts'
import type { FileRead } from '../sources/file/assembly.ts'
import type { FileSource } from '../sources/file/file-source.ts'
import type { LocatedFinding } from '../sources/source.ts'
import { placeGateways } from '../standalone/bind-trial.ts'
import type { Kindness } from '../standalone/kindness.ts'
import type { Laptop } from '../standalone/laptop.ts'
import { placementOf, type PlacementOptions, type Places, withoutLost } from '../standalone/placement.ts'
import type { TranslateOptions } from '../translate/options.ts'
import type { RouteResult } from '../translate/route.ts'
import { type Pass, translate } from '../translate/translate.ts'
import type { Translation } from '../translate/translation.ts'
import { allFindings, type FindingMemory, findingMemory, refusedObjects } from './all-findings.ts'
import { SnapshotFeed } from './snapshot-feed.ts'

export interface ServingOptions {
  readonly source: FileSource
  readonly delivery: InProcessDelivery
  /** Undefined with `--strict`: then both translations are one. */
  readonly laptop: Laptop | undefined
  readonly translate: TranslateOptions
  readonly placement: PlacementOptions
  /** Called at the beginning of a pass, for what it depends on beside the files; what there is to say of that. */
  readonly lookAround: () => readonly LocatedFinding[]
  /** What serves a Gateway's configuration: the findings of routing come from it, so that nothing is compiled twice. */
  readonly routerOf: (gateway: string) => Router | undefined
}

/** What one pass came to. Unchanged statuses are the same objects as in the view before. */
export interface View {
  readonly read: FileRead
  /** What the files hold, indexed. */
  readonly objects: Snapshot
  /** As a cluster would see the files. */
  readonly cluster: Translation
  /** As they are served here. */
  readonly here: Translation
  /** The objects of `here`, with what kindnesses added. */
  readonly overlaid: Snapshot
  /** What `here` made of each route. */
  readonly routes: readonly RouteResult[]
  readonly kindnesses: readonly Kindness[]
  readonly findings: readonly LocatedFinding[]
  readonly served: Acknowledgements
}

/** How often more. */
const mostPlannings = 3
const nothingObserved: Observations = { gateways: new Map(), assumeProgrammed: false }

export class Serving {
  readonly #options: ServingOptions
  readonly #feed = new SnapshotFeed()
  readonly #findings: FindingMemory
  readonly #cluster: Translating
  readonly #here: Translating
  #places: Places = new Map()
  #view: View | undefined

  constructor(options: ServingOptions) {
    this.#options = options
    this.#findings = findingMemory(options.routerOf)
    this.#cluster = new Translating(options.translate)
    this.#here = options.laptop === undefined ? this.#cluster : new Translating(options.translate)
  }

  /** The last pass's; undefined before the first one. */
  get view(): View | undefined {
    return this.#view
  }

  async pass(): Promise<View> {
    const { source, laptop } = this.#options
    const around = this.#options.lookAround()
    const read = source.read()
    const objects = this.#feed.follow(read.objects)
    const strict = this.#cluster.of(objects)
    const overlaid = await laptop?.overlay(objects, strict, refusedObjects(read))
    const wanted = overlaid === undefined ? strict : this.#here.of(overlaid.snapshot)
    const served = await this.#deliver(wanted)
    const cluster = this.#cluster.observe(served)
    const here = laptop === undefined ? cluster : this.#here.observe(served)
    const translated = [...cluster.findings, ...(overlaid?.findings ?? [])]
    const findings = [...around, ...allFindings(read, translated, here.configs, this.#findings)]
    this.#view = {
      read,
      objects,
      cluster,
      here,
      overlaid: overlaid?.snapshot ?? objects,
      routes: this.#here.routes,
      kindnesses: overlaid?.kindnesses ?? [],
      findings,
      served,
    }
    return this.#view
  }

  /** Another program may take a port after it was tried and before it is bound: then its place is planned again. */
  async #deliver({ configs, versions, keys }: Translation): Promise<Acknowledgements> {
    const { delivery, placement } = this.#options
    for (let left = mostPlannings; ; left -= 1) {
      const before = this.#places
      this.#places = await placeGateways(configs, placement, before)
      const placed = placementOf(this.#places, placement.addresses[0] ?? '127.0.0.1')
      const served = await delivery.deliver(configs, versions, keys, placed)
      const isClosed = (gateway: string, port: number): boolean =>
        served.get(gateway)?.failedPorts.some((failed) => failed.port === port) === true
      const kept = withoutLost(this.#places, before, isClosed)
      if (kept === this.#places || left === 0) return served
      this.#places = kept
    }
  }
}

/** One of the two translations: the last pass of it, and what was observed of what it asked for. */
class Translating {
  readonly #options: TranslateOptions
  #objects: Snapshot | undefined
  #observations = nothingObserved
  #pass: Pass | undefined

  constructor(options: TranslateOptions) {
    this.#options = options
  }

  get routes(): readonly RouteResult[] {
    return this.#pass?.attached.source ?? []
  }

  of(objects: Snapshot): Translation {
    this.#objects = objects
    this.#pass = translate(new ObservedSnapshot(objects, this.#observations), this.#options, this.#pass)
    return this.#pass.translation
  }

  /**
   * The statuses that follow now that the data plane has said what it serves. Call after `of`. What a cluster would
   * serve counts as served when what was made of it here is.
   */
  observe(served: Acknowledgements): Translation {
    if (this.#objects === undefined) throw new Error('Cannot observe: a snapshot must have been translated before')
    const versions = this.#pass?.translation.versions
    this.#observations = {
      assumeProgrammed: false,
      gateways: new Map([...served].map(([gateway, one]) => [gateway, observationOf(one, versions?.get(gateway))])),
    }
    return this.of(this.#objects)
  }
}

function observationOf({ ports, failedPorts }: Acknowledgement, version: string | undefined): GatewayObservation {
  const addresses = [...new Set(ports.map(({ address }) => address))].sort()
  return {
    ...(version !== undefined && { servedVersion: version }),
    addresses: addresses.map((value) => ({ type: 'IPAddress', value })),
    failedPorts,
  }
}
