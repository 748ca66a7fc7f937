/** The kinds that the controller makes for Gateways: watched whole, and only what carries its label. */
import type { KubeObject, Resource } from '../../kube/kube-api.ts'

/** Objects of these kinds with our label, at any time: as the last events left them. */
export interface OwnedObjects {
  get(resource: Pick<Resource, 'kind'>, namespace: string, name: string): KubeObject | undefined
  all(): readonly { readonly resource: Resource; readonly object: KubeObject }[]
}

interface OwnedKind {
  readonly group: string
  readonly kind: string
}

export const OWNED_KINDS: readonly OwnedKind[] = [
  { group: 'apps', kind: 'Deployment' },
  { group: '', kind: 'Service' },
  { group: '', kind: 'ServiceAccount' },
  // Credentials of proxies; of all other Secrets the metadata is watched (loaded-objects.ts).
  { group: '', kind: 'Secret' },
  { group: 'policy', kind: 'PodDisruptionBudget' },
  { group: 'autoscaling', kind: 'HorizontalPodAutoscaler' },
]

/** Versions that writers write, newest first. */
export const OWNED_VERSIONS: readonly string[] = ['v2', 'v1']
