/** `gatewright status`: what `.status` says in a cluster, or in a `run`, as a tree from the classes down to the backends. */
import type { StoredObjects } from '../sources/kubernetes/stored-object.ts'
import { fetchAdmin } from './fetch-admin.ts'
import { type ClusterFlags, namesCluster, ownController } from './flags.ts'
import { serialise } from './serialise.ts'
import { countBad, statusReport } from './status-report.ts'
import { inNamespace, statusTree, type TreeNode, type WrittenStatus } from './status-tree.ts'
import { styleFor } from './style.ts'
import { UserError } from './user-error.ts'

export interface StatusFlags extends ClusterFlags {
  readonly output?: 'json' | 'yaml'
  readonly namespace?: string
  readonly allNamespaces: boolean
  readonly admin?: string
}

/** Exit status 1 when something is not as it should be. */
export async function status(flags: StatusFlags): Promise<number> {
  const { namespace, allNamespaces, output } = flags
  if (namespace !== undefined && allNamespaces) throw new UserError(`Cannot choose: give -n or -A, got both`, 2)
  const { tree: whole, findings, own } = flags.admin === undefined ? await ofCluster(flags) : await ofRun(flags.admin, flags)
  const chosen = allNamespaces ? undefined : (namespace ?? own)
  const tree = chosen === undefined ? whole : inNamespace(whole, chosen)
  for (const message of findings) process.stderr.write(`gatewright: ${message}\n`)
  if (output !== undefined) process.stdout.write(serialise(tree, output))
  else process.stdout.write(nothingIn(tree, chosen) ?? statusReport(tree, styleFor(process.stdout, process.env)))
  return countBad(tree) > 0 || findings.length > 0 ? 1 : 0
}

interface Looked {
  readonly tree: readonly TreeNode[]
  /** What could not be looked at. */
  readonly findings: readonly string[]
  /** The namespace that is meant when none is named; undefined: all. */
  readonly own: string | undefined
}

function nothingIn(tree: readonly TreeNode[], namespace: string | undefined): string | undefined {
  if (tree.length > 0 || namespace === undefined) return undefined
  return `no Gateway or route in namespace ${namespace}; -A shows those of all namespaces\n`
}

async function ofRun(admin: string, flags: StatusFlags): Promise<Looked> {
  if (namesCluster(flags)) throw new UserError('Cannot choose: give --admin, or a cluster with --kubeconfig or --context, got both', 2)
  return { tree: await fetchAdmin<readonly TreeNode[]>('show the status', admin, '/status-tree'), findings: [], own: undefined }
}

/** Every class is looked at: a Gateway of another controller is somebody's question, too. */
async function ofCluster(flags: StatusFlags): Promise<Looked> {
  const { readCluster } = await import('./read-cluster.ts')
  const { namespace, findings, snapshot, routes, stored } = await readCluster(flags, {
    controllerName: ownController,
    anyClassIsOurs: true,
  })
  return {
    tree: statusTree({ objects: snapshot, statusOf: (kind, space, name) => written(stored, kind, space, name), routes }),
    // Of single objects check tells more.
    findings: findings.flatMap(({ code, message }) => (code === 'api-server' ? [message] : [])),
    own: namespace,
  }
}

/** The API server has validated its shape. */
function written(stored: StoredObjects, kind: string, namespace: string, name: string): WrittenStatus | undefined {
  return stored.get(kind, namespace, name)?.status
}
