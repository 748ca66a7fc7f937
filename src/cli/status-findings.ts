/**
 * Conditions that a cluster would write and that say "no", as findings: the same words in `check` as in `.status`.
 *
 * A folder is seldom a whole cluster: classes, Gateways, Services and certificates lie in other people's. So each status is read twice,
 * of the files as they stand and as if what they lack were there. What is wrong either way is an error; what the missing objects would mend is
 * something that the cluster will need, a warning; and what they would bring to light is wrong already.
 */
import type { Condition } from '../api/meta.ts'
import type { RouteParentStatus } from '../api/route.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import type { FileRead } from '../sources/file/assembly.ts'
import type { LocatedFinding } from '../sources/source.ts'
import { Overlay } from '../standalone/overlay.ts'
import type { StatusOf, Translation } from '../translate/translation.ts'
import { isBad } from './condition.ts'

interface Refusal {
  readonly status: StatusOf
  readonly condition: Condition
  readonly path: readonly (string | number)[]
  readonly where: string
  readonly parentRef?: RouteParentStatus['parentRef']
}

/** The snapshot with the classes, Gateways and Services that its objects name and no file defines. */
export function withWhatIsElsewhere(snapshot: Snapshot, strict: Translation, controllerName: string): Snapshot {
  const overlay = new Overlay({ controllerName, mappings: [], echo: true, certificates: false })
  const plan = overlay.plan(snapshot, strict)
  // Nothing listens there: it is enough for a status that there is an endpoint.
  const echoPorts = new Map(plan.wants.echoes.map(({ namespace, name }) => [`${namespace}/${name}`, 1]))
  return overlay.apply(plan, { leaves: new Map(), echoPorts, addresses: new Map(), findings: [] }).snapshot
}

/**
 * `whole`: the translation of `withWhatIsElsewhere`, or `strict` itself where nothing is elsewhere; `strict.findings`
 * already name the Services that it has more than `strict`.
 */
export function statusFindings(read: FileRead, snapshot: Snapshot, strict: Translation, whole: Translation): LocatedFinding[] {
  const asTheyStand = strict.statuses.flatMap(refusals)
  if (strict === whole) return asTheyStand.map((refusal) => asFinding(read, refusal, 'error'))
  const withTheRest = whole.statuses.flatMap(refusals).filter(({ status }) => read.locate(status) !== undefined)
  const known = new Set(asTheyStand.map(keyOf))
  const remaining = new Set(withTheRest.map(keyOf))
  const found: LocatedFinding[] = []
  for (const refusal of asTheyStand) {
    const certificate = missingCertificate(read, snapshot, refusal)
    if (certificate === 'made-by-cert-manager') continue
    const isLeft = remaining.has(keyOf(refusal))
    if (!isLeft && refusal.condition.reason === 'BackendNotFound') continue
    found.push(asFinding(read, refusal, isLeft && certificate === undefined ? 'error' : 'warning'))
  }
  for (const refusal of withTheRest) {
    if (known.has(keyOf(refusal)) || isOfUnseenListener(snapshot, refusal)) continue
    if (missingCertificate(read, snapshot, refusal) === 'made-by-cert-manager') continue
    found.push(asFinding(read, refusal, missingCertificate(read, snapshot, refusal) === undefined ? 'error' : 'warning'))
  }
  return found
}

function asFinding(read: FileRead, { status, condition, path, where }: Refusal, severity: LocatedFinding['severity']): LocatedFinding {
  const object = { kind: status.kind, namespace: status.namespace, name: status.name }
  const at = read.locate(object, path)
  return {
    code: `${condition.type}-${condition.reason}`,
    severity,
    object,
    path,
    message: `${where}${condition.type} is ${condition.status} (${condition.reason}): ${condition.message}`,
    ...(at !== undefined && { at }),
  }
}

function refusals(status: StatusOf): Refusal[] {
  const found: Refusal[] = []
  const add = (
    conditions: readonly Condition[],
    path: Refusal['path'],
    where: string,
    parentRef?: RouteParentStatus['parentRef'],
  ): void => {
    for (const condition of conditions.filter(isBad)) {
      // translate has a finding for each such target, at its place, whether a Gateway leads to it or not.
      if (condition.reason === 'TargetNotFound') continue
      found.push({ status, condition, path, where, ...(parentRef && { parentRef }) })
    }
  }
  const { kind, status: of } = status
  if ('parents' in of) {
    for (const parent of of.parents) add(parent.conditions ?? [], ['spec', 'parentRefs'], `${parentName(parent)}: `, parent.parentRef)
    return found
  }
  if ('listeners' in of) {
    for (const [index, listener] of of.listeners.entries())
      add(listener.conditions, ['spec', 'listeners', index], `listener ${listener.name}: `)
    // What the Gateway says of its listeners was just said at each of them.
    if (found.length > 0) return found
  }
  if ('conditions' in of) add(of.conditions, ['spec'], '')
  if ('ancestors' in of) for (const ancestor of of.ancestors) add(ancestor.conditions, ['spec'], `${kind}: `)
  return found
}

function parentName({ parentRef }: RouteParentStatus): string {
  const section = parentRef.sectionName === undefined ? '' : ` listener ${parentRef.sectionName}`
  return `parent ${parentRef.kind ?? 'Gateway'} ${parentRef.namespace === undefined ? '' : `${parentRef.namespace}/`}${parentRef.name}${section}`
}

function keyOf({ status: { kind, namespace, name }, condition: { type, reason, message }, path, where }: Refusal): string {
  return JSON.stringify([kind, namespace, name, path, where, type, reason, message])
}

/** What the listeners of a Gateway that nobody has seen may refuse says nothing about the route. */
function isOfUnseenListener(snapshot: Snapshot, { status, condition: { type, reason }, parentRef }: Refusal): boolean {
  const ofListeners = ['NoMatchingParent', 'NoMatchingListenerHostname', 'NotAllowedByListeners']
  if (parentRef === undefined || type !== 'Accepted' || !ofListeners.includes(reason)) return false
  const kind = parentRef.kind === 'ListenerSet' ? 'ListenerSet' : 'Gateway'
  return snapshot.get(kind, parentRef.namespace ?? status.namespace, parentRef.name) === undefined
}

/** Whether a listener is refused only because its Secrets are in no file; cert-manager would make those that it is told to. */
function missingCertificate(
  read: FileRead,
  snapshot: Snapshot,
  { status, condition, path }: Refusal,
): 'missing' | 'made-by-cert-manager' | undefined {
  if (condition.reason !== 'InvalidCertificateRef' || (status.kind !== 'Gateway' && status.kind !== 'ListenerSet')) return undefined
  const owner = snapshot.get(status.kind, status.namespace, status.name)
  const refs = owner?.spec.listeners[Number(path[2])]?.tls?.certificateRefs ?? []
  const secrets = refs.map((ref) => ({ namespace: ref.namespace ?? status.namespace, name: ref.name }))
  const areMissing = refs.every(
    (ref, i) => ref.kind === 'Secret' && snapshot.get('Secret', secrets[i]?.namespace ?? '', ref.name) === undefined,
  )
  if (refs.length === 0 || !areMissing) return undefined
  const annotations = Object.keys(owner?.metadata.annotations ?? {})
  const isShim = annotations.includes('cert-manager.io/issuer') || annotations.includes('cert-manager.io/cluster-issuer')
  const isMade = ({ namespace, name }: { readonly namespace: string; readonly name: string }): boolean =>
    read.certificates.some((certificate) => certificate.namespace === namespace && certificate.secretName === name)
  return isShim || secrets.every(isMade) ? 'made-by-cert-manager' : 'missing'
}
