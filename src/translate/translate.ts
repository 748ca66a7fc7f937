/**
 * translate: all objects at one moment become statuses, configurations, infrastructure, findings and wants.
 *
 * One pure function: no clock, no network, no await; the same snapshot gives the same result in the same order. It knows
 * nothing of files, sockets or the API server. `previous` only saves work: with it and without it the result is the same,
 * but what came out equal stays the same object, and what nothing touched is not computed again.
 * Called by the loop (`controller`) and by the offline commands. The rules live in a file for each subject.
 */
import type { Snapshot } from '../cluster/snapshot.ts'
import { assembleConfigs } from './assemble.ts'
import { equal, keep, keepArray } from './keep.ts'
import { judgeClasses, judgeGateways, judgeListenerSets, judgeRoutes, keysOf } from './judge.ts'
import { Memo } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import { gatewayStatuses } from './gateway-status.ts'
import { policyStatuses } from './policy.ts'
import { inOrder, keepStatuses } from './statuses.ts'
import type { Translation } from './translation.ts'
import type { Hashes } from './version.ts'

export type { TranslateOptions } from './options.ts'

/** A finished pass: its result, and what the next one may build on. */
export interface Pass {
  readonly translation: Translation
  readonly options: TranslateOptions
  readonly memo: Memo
  readonly hashes: Hashes
}

export function translate(snapshot: Snapshot, options: TranslateOptions, previous?: Pass): Pass {
  const base = previous !== undefined && equal(previous.options, options) ? previous : undefined
  const last = base?.translation
  const memo = new Memo(snapshot, base?.memo)
  const hashes: Hashes = base?.hashes ?? new WeakMap()

  const classes = judgeClasses(snapshot, options, memo)
  const { gateways, ours } = judgeGateways(snapshot, options, memo)
  const listenerSets = judgeListenerSets(snapshot, memo)
  const routes = judgeRoutes(snapshot, options, memo)
  const { configs, versions } = assembleConfigs(memo, options, ours, routes, last?.configs ?? [], hashes)

  const made = [...gatewayStatuses(snapshot.observations, gateways, versions, routes), ...policyStatuses(snapshot, routes), ...listenerSets]
  const statuses = inOrder(
    [...classes, ...routes].flatMap(({ status }) => (status === undefined ? [] : [status])),
    keepStatuses(last?.statuses, made),
  )
  const translation: Translation = {
    statuses: keepArray(last?.statuses, statuses),
    configs: keepArray(last?.configs, configs),
    versions,
    keys: keysOf(ours, last?.keys),
    infra: keepArray(
      last?.infra,
      ours.flatMap(({ infra }) => (infra === undefined ? [] : [infra])),
    ),
    findings: keepArray(
      last?.findings,
      [...classes, ...gateways, ...routes].flatMap(({ findings }) => findings),
    ),
    wants: keep(last?.wants, [...new Set(ours.flatMap(({ wants }) => wants))].sort()),
  }
  return { translation, options, memo, hashes }
}
