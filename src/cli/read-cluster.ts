/** A cluster as it is at this moment, for commands that look once and leave. */
import type { ApiObject } from '../api/object.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { KubeClient } from '../kube/client.ts'
import { type Credentials, loadCredentials } from '../kube/credentials.ts'
import { delay } from '../kube/delay.ts'
import { KubeError } from '../kube/kube-error.ts'
import { KubernetesSource } from '../sources/kubernetes/kubernetes-source.ts'
import type { StoredObjects } from '../sources/kubernetes/stored-object.ts'
import type { LocatedFinding } from '../sources/source.ts'
import { createLogger } from '../telemetry/logger.ts'
import type { TranslateOptions } from '../translate/options.ts'
import type { RouteResult } from '../translate/route.ts'
import { translate } from '../translate/translate.ts'
import type { Translation } from '../translate/translation.ts'
import { assumingServed } from './assuming-served.ts'
import type { ClusterFlags } from './flags.ts'
import { SnapshotFeed } from './snapshot-feed.ts'
import { UserError } from './user-error.ts'
import { version } from './version.ts'

export interface ClusterRead {
  /** Of the context. */
  readonly namespace: string
  readonly objects: readonly ApiObject[]
  readonly findings: readonly LocatedFinding[]
  readonly snapshot: Snapshot
  readonly translation: Translation
  readonly routes: readonly RouteResult[]
  /** As the API server has them, statuses included. */
  readonly stored: StoredObjects
}

/** Milliseconds that the API server has for an answer. */
const deadline = 15_000
/** References may lead to further ones. */
const mostLoads = 3

/** Throws a UserError when the cluster cannot be asked at all; kinds that may not be read are findings. */
export async function readCluster(flags: ClusterFlags, options: TranslateOptions): Promise<ClusterRead> {
  try {
    return await readWith(await loadCredentials(flags), options)
  } catch (error) {
    if (error instanceof KubeError) throw new UserError(error.message, 2, error)
    throw error
  }
}

async function readWith(credentials: Credentials, options: TranslateOptions): Promise<ClusterRead> {
  const api = new KubeClient({ credentials, userAgent: `gatewright/${version}`, deadline, random: Math.random, delay })
  const source = new KubernetesSource({
    api,
    ...(!options.anyClassIsOurs && { controllerName: options.controllerName }),
    // What it would warn of are findings here.
    logger: createLogger({ level: 'error', format: 'text', write: (line) => process.stderr.write(line) }),
    random: Math.random,
    delay,
    now: () => performance.now(),
    failFast: true,
  })
  try {
    await source.start(() => {})
    const made = await translated(source, options)
    const { objects, findings } = source.read()
    return { namespace: credentials.namespace ?? 'default', objects, findings, ...made, stored: source.stored }
  } finally {
    await source.stop()
    await api.close()
  }
}

/** With the Secrets and ConfigMaps that the first translation asks for. */
async function translated(
  source: KubernetesSource,
  options: TranslateOptions,
): Promise<Pick<ClusterRead, 'snapshot' | 'translation' | 'routes'>> {
  const { bundleVersion } = source
  const feed = new SnapshotFeed()
  for (let left = mostLoads; ; left -= 1) {
    const objects = feed.follow(source.read().objects)
    const snapshot = assumingServed(objects)
    const { translation, attached } = translate(snapshot, {
      ...options,
      servesOn: true,
      ...(bundleVersion !== undefined && { bundleVersion }),
    })
    await source.want(translation.wants)
    if (left === 0 || feed.follow(source.read().objects) === objects) return { snapshot, translation, routes: attached.source }
  }
}
