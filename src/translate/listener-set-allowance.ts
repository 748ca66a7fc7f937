/** Whether a Gateway takes a ListenerSet (Gateway API v1, GatewaySpec.allowedListeners: none unless it says so). */
import type { Gateway, ListenerSet } from '../api/gateway.ts'
import { GATEWAY_GROUP } from './features.ts'
import type { Reader } from './memo.ts'
import { labelsOf, namespaceToApply, selects, shortfalls } from './namespace-selector.ts'
import { listed, withRemedies, type Remedy } from './remedy.ts'
import type { YamlValue } from './yaml-block.ts'

/** A message with the YAML that would let it in; undefined when the Gateway takes it. */
export function allowanceProblem(read: Reader, gateway: Gateway, set: ListenerSet): string | undefined {
  const { namespace } = set.metadata
  const { namespace: own, name } = gateway.metadata
  const allowed = gateway.spec.allowedListeners?.namespaces
  const where = `Gateway ${own}/${name}`
  switch (allowed?.from ?? 'None') {
    case 'All':
      return undefined
    case 'None':
      return withRemedies(`${where} takes no ListenerSets: its spec.allowedListeners.namespaces.from is None, the default.`, [
        letIn(gateway, namespace),
      ])
    case 'Same':
      if (namespace === own) return undefined
      return withRemedies(
        `${where} takes ListenerSets of its own Namespace ${own} only (spec.allowedListeners.namespaces.from: Same), this one is in ${namespace}.`,
        [letIn(gateway, namespace)],
      )
    case 'Selector': {
      const labels = labelsOf(read, namespace)
      if (allowed?.selector === undefined)
        return withRemedies(`${where} selects namespaces (spec.allowedListeners.namespaces.from: Selector) but has no selector.`, [
          letIn(gateway, namespace),
        ])
      if (selects(allowed.selector, labels)) return undefined
      const why = `${where} takes ListenerSets of selected namespaces only, and Namespace ${namespace} needs ${listed(shortfalls(allowed.selector, labels))}.`
      const mended = namespaceToApply(allowed.selector, namespace, labels)
      return mended === undefined
        ? `${why} No label of the Namespace would do: the selector must change.`
        : withRemedies(why, [{ what: 'let the Namespace be selected', yaml: mended }])
    }
  }
}

/** Those that were let in stay so: a Gateway that took its own Namespace keeps it. */
function letIn(gateway: Gateway, namespace: string): Remedy {
  const { namespace: own, name } = gateway.metadata
  const keepsOwn = gateway.spec.allowedListeners?.namespaces.from === 'Same'
  const values = keepsOwn ? [own, namespace] : [namespace]
  const namespaces: YamlValue =
    namespace === own
      ? { from: 'Same' }
      : { from: 'Selector', selector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] } }
  return {
    what: `let the Gateway take ListenerSets of Namespace ${namespace}`,
    yaml: {
      apiVersion: `${GATEWAY_GROUP}/v1`,
      kind: 'Gateway',
      metadata: { name, namespace: own },
      spec: { allowedListeners: { namespaces } },
    },
  }
}
