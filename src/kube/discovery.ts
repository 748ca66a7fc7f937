/** Which kinds the API server serves, and in which versions: one document where the server has it, else one for each group and version. */
import type { Resource } from './kube-api.ts'

export interface DocumentApi {
  /** undefined: there is none. */
  document(path: string, accept?: string, signal?: AbortSignal): Promise<unknown>
}

const AGGREGATED = ['v2', 'v2beta1'].map((v) => `application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`).join(',')

/** All resources of these groups, one for each version; subresources left out. Groups that are not there are no error. */
export async function discover(api: DocumentApi, groups: ReadonlySet<string>, signal?: AbortSignal): Promise<readonly Resource[]> {
  const roots = groups.has('') ? ['/apis', '/api'] : ['/apis']
  const found = await Promise.all(roots.map(async (root) => await discoverBelow(api, root, groups, signal)))
  return found.flat()
}

async function discoverBelow(
  api: DocumentApi,
  root: string,
  groups: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<readonly Resource[]> {
  const document = (await api.document(root, `${AGGREGATED},application/json`, signal)) as Partial<GroupDiscoveryList> | undefined
  if (document?.kind === 'APIGroupDiscoveryList') return (document.items ?? []).flatMap((group) => ofAggregated(group, groups))
  const versions =
    root === '/api'
      ? [{ group: '', version: 'v1', path: '/api/v1' }]
      : ((document as Partial<GroupList> | undefined)?.groups ?? []).flatMap(({ name, versions: all }) =>
          groups.has(name) ? all.map(({ version }) => ({ group: name, version, path: `/apis/${name}/${version}` })) : [],
        )
  const lists = await Promise.all(
    versions.map(async ({ group, version, path }) => {
      const list = (await api.document(path, 'application/json', signal)) as ResourceList | undefined
      return (list?.resources ?? [])
        .filter(({ name }) => !name.includes('/'))
        .map(({ name, kind, namespaced }): Resource => ({ group, version, plural: name, kind, namespaced }))
    }),
  )
  return lists.flat()
}

function ofAggregated({ metadata, versions }: GroupDiscovery, groups: ReadonlySet<string>): readonly Resource[] {
  const group = metadata?.name ?? ''
  if (!groups.has(group)) return []
  return (versions ?? []).flatMap(({ version, resources }) =>
    (resources ?? []).flatMap(({ resource, responseKind, scope }) =>
      responseKind === undefined ? [] : [{ group, version, plural: resource, kind: responseKind.kind, namespaced: scope === 'Namespaced' }],
    ),
  )
}

/** apidiscovery.k8s.io/v2. */
interface GroupDiscoveryList {
  readonly kind: string
  readonly items: readonly GroupDiscovery[]
}

interface GroupDiscovery {
  /** Without a name: the core group. */
  readonly metadata?: { readonly name?: string }
  readonly versions?: readonly {
    readonly version: string
    readonly resources?: readonly {
      readonly resource: string
      readonly responseKind?: { readonly kind: string }
      readonly scope: string
    }[]
  }[]
}

/** metav1.APIGroupList, metav1.APIResourceList. */
interface GroupList {
  readonly groups: readonly { readonly name: string; readonly versions: readonly { readonly version: string }[] }[]
}

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[]
}
