/** What an API server says of the kinds that it serves: the aggregated document of today, and the three steps of before. */
import type { ServedResource } from './resources.ts'

export function aggregated(resources: readonly ServedResource[], core: boolean): object {
  const groups = groupsOf(resources.filter(({ group }) => (group === '') === core))
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: [...groups].map(([name, ofGroup]) => ({
      metadata: { name },
      versions: versionsOf(ofGroup).map((version) => ({
        version,
        freshness: 'Current',
        resources: ofGroup
          .filter((resource) => resource.version === version)
          .map(({ kind, plural, namespaced }) => ({
            resource: plural,
            responseKind: { group: '', version: '', kind },
            scope: namespaced ? 'Namespaced' : 'Cluster',
            verbs: ['get', 'list', 'watch'],
            subresources: [{ subresource: 'status', responseKind: { group: '', version: '', kind }, verbs: ['get', 'patch'] }],
          })),
      })),
    })),
  }
}

export function groupList(resources: readonly ServedResource[]): object {
  const groups = groupsOf(resources.filter(({ group }) => group !== ''))
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: [...groups].map(([name, ofGroup]) => ({
      name,
      versions: versionsOf(ofGroup).map((version) => ({ groupVersion: `${name}/${version}`, version })),
      preferredVersion: {},
    })),
  }
}

/** undefined: no such group and version. */
export function resourceList(resources: readonly ServedResource[], group: string, version: string): object | undefined {
  const found = resources.filter((resource) => resource.group === group && resource.version === version)
  if (found.length === 0) return undefined
  return {
    kind: 'APIResourceList',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: found.flatMap(({ plural, kind, namespaced }) => [
      { name: plural, namespaced, kind, verbs: ['get', 'list', 'watch'] },
      { name: `${plural}/status`, namespaced, kind, verbs: ['get', 'patch'] },
    ]),
  }
}

function groupsOf(resources: readonly ServedResource[]): ReadonlyMap<string, readonly ServedResource[]> {
  const groups = new Map<string, ServedResource[]>()
  for (const resource of resources) groups.set(resource.group, [...(groups.get(resource.group) ?? []), resource])
  return groups
}

function versionsOf(resources: readonly ServedResource[]): readonly string[] {
  return [...new Set(resources.map(({ version }) => version))]
}
