/**
 * Annotations that Kubernetes keeps for itself: their controllers write them on the objects that are made here, and would
 * write them again for ever.
 */
const keptPrefixes = ['deployment.kubernetes.io/', 'autoscaling.alpha.kubernetes.io/', 'control-plane.alpha.kubernetes.io/']
const keptNames = new Set(['kubectl.kubernetes.io/last-applied-configuration'])

/** Those that can be put on what is made for a Gateway, of those that it asks for. */
export function withoutKept(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const names = Object.keys(annotations)
  if (!names.some(isKept)) return annotations
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => !isKept(name)))
}

function isKept(name: string): boolean {
  return keptNames.has(name) || keptPrefixes.some((prefix) => name.startsWith(prefix))
}
