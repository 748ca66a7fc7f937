/**
 * translate: all objects at one moment become statuses, configurations, infrastructure, findings and wants.
 *
 * One pure function: no clock, no network, no await; the same snapshot gives the same result in the same order. It knows
 * nothing of files, sockets or the API server. `previous` only saves work: with it and without it the result is the same,
 * but what came out equal stays the same object, and what nothing touched is not computed again.
 * Called by the loop (`controller`) and by the offline commands. The rules live in a file for each subject.
 */
import type { Snapshot } from '../cluster/snapshot.ts'
import type { Finding } from '../api/finding.ts'
import { sameItems } from '../lib/list-change.ts'
import { attachedRoutes, type AttachedRoutes } from './attached-routes.ts'
import { assembleConfigs, type Assembled } from './assemble.ts'
import { endpointServicesOf } from './endpoint-services.ts'
import { equal, keep, keepArray } from './keep.ts'
import { judgeClasses, judgeGateways, judgeListenerSets, judgePolicies, judgeRoutes, judgeXBackends, keysOf } from './judge.ts'
import { attachedSets, statusesOfSets, type SetStatus } from './listener-set-status.ts'
import { Memo } from './memo.ts'
import { mergeListeners, withMerged, type Merged } from './merged-listeners.ts'
import type { TranslateOptions } from './options.ts'
import { statusesOfGateways } from './gateway-status.ts'
import type { RouteResult } from './route.ts'
import { statusesOfPolicies, wantsOfPolicies } from './policy.ts'
import { byKind, keepStatuses, statusesIn } from './statuses.ts'
import { statusesOfTelemetryPolicies } from './telemetry-policy-status.ts'
import { statusesOfTrafficPolicies } from './traffic-policy-status.ts'
import type { StatusOf, Translation } from './translation.ts'
import { type Hashes, noHashes } from './version.ts'
import { statusesOfXBackends } from './x-backend-status.ts'

export type { TranslateOptions } from './options.ts'

/** A finished pass: its result, and what the next one may build on. */
export interface Pass {
  readonly translation: Translation
  readonly options: TranslateOptions
  readonly memo: Memo
  readonly assembled: Assembled
  readonly attached: AttachedRoutes
  readonly merged: Merged
  readonly sets: readonly SetStatus[]
  readonly gatewayStatuses: readonly StatusOf[]
  /** Of policies for backends, of XBackends, of policies for traffic to them. */
  readonly ofBackends: readonly (readonly StatusOf[])[]
  /** The lists of results that the findings are from. */
  readonly judged: readonly Judged[]
  readonly hashes: Hashes
}

export function translate(snapshot: Snapshot, options: TranslateOptions, previous?: Pass): Pass {
  const base = previous !== undefined && equal(previous.options, options) ? previous : undefined
  const last = base?.translation
  const memo = new Memo(snapshot, base?.memo)
  const hashes: Hashes = base?.hashes ?? noHashes()

  const classes = judgeClasses(snapshot, options, memo)
  const { gateways, ours } = judgeGateways(snapshot, options, memo)
  const listenerSets = judgeListenerSets(snapshot, memo)
  const merged = mergeListeners(ours, listenerSets, base?.merged)
  memo.publish(
    'ListenerSet',
    merged.sets.map(({ surface }) => surface),
  )
  const routes = judgeRoutes(snapshot, options, memo)
  // On long lists `flat` takes many times what this does.
  const served = keepArray(base?.assembled.routes.source, ([] as RouteResult[]).concat(...Object.values(routes)))
  const assembled = assembleConfigs(memo, options, merged.gateways, served, base?.assembled, hashes)

  const attached = attachedRoutes(served, base?.attached)
  const { observations } = snapshot
  const sets = statusesOfSets(observations, merged, assembled.versions, attached.counts, base?.sets)
  const gatewayStatuses = keepStatuses(
    base?.gatewayStatuses,
    statusesOfGateways(observations, withMerged(gateways, merged), assembled.versions, {
      routes: attached.counts,
      sets: attachedSets(sets),
    }),
  )
  const backends = judgeXBackends(snapshot, memo)
  const ofBackends = [
    statusesOfPolicies(snapshot, served),
    statusesOfXBackends(backends, served),
    statusesOfTrafficPolicies(snapshot, served),
    statusesOfTelemetryPolicies(snapshot, merged.gateways),
  ].map((made, i) => keepStatuses(base?.ofBackends[i], made))
  const judged: readonly Judged[] = [classes, gateways, listenerSets, ...Object.values(routes), ...judgePolicies(snapshot, memo)]
  const translation: Translation = {
    statuses: keepArray(
      last?.statuses,
      byKind([gatewayStatuses, ...ofBackends, ...[classes, sets, ...Object.values(routes)].map(statusesIn)]),
    ),
    configs: assembled.configs,
    versions: assembled.versions,
    keys: keysOf(merged.gateways, assembled.shown, last?.keys),
    infra: keepArray(
      last?.infra,
      merged.gateways.flatMap(({ infra }) => (infra === undefined ? [] : [infra])),
    ),
    endpointServices: keep(last?.endpointServices, endpointServicesOf(snapshot, served)),
    findings:
      base !== undefined && sameItems(base.judged, judged)
        ? base.translation.findings
        : keepArray(last?.findings, judged.flatMap(findingsOf)),
    wants: keep(
      last?.wants,
      [
        ...new Set([
          ...merged.gateways.flatMap(({ wants }) => wants),
          ...wantsOfPolicies(snapshot),
          ...backends.flatMap(({ wants }) => wants),
        ]),
      ].sort(),
    ),
  }
  return { translation, options, memo, assembled, attached, merged, sets, gatewayStatuses, ofBackends, judged, hashes }
}

type Judged = readonly { readonly findings: readonly Finding[] }[]

function findingsOf(judged: Judged): readonly Finding[] {
  const found: Finding[] = []
  // Nearly all have none.
  for (const { findings } of judged) if (findings.length > 0) found.push(...findings)
  return found
}
