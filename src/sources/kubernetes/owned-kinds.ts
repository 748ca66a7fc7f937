/** The kinds that the controller makes for Gateways: watched whole, and only what carries its label. */
export interface OwnedKind {
  readonly group: string
  readonly kind: string
}

export const OWNED_KINDS: readonly OwnedKind[] = [
  { group: 'apps', kind: 'Deployment' },
  { group: '', kind: 'Service' },
  { group: '', kind: 'ServiceAccount' },
  { group: 'policy', kind: 'PodDisruptionBudget' },
  { group: 'autoscaling', kind: 'HorizontalPodAutoscaler' },
  { group: '', kind: 'Pod' },
]

/** Versions that writers write, newest first. */
export const OWNED_VERSIONS: readonly string[] = ['v2', 'v1']
