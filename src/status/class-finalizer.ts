/**
 * The finalizer of GatewayClasses that are in use (GatewayClass: "gateway-exists-finalizer.gateway.networking.k8s.io"): a
 * class of ours is not deleted while a Gateway names it.
 */
import type { KubeApi, Resource } from '../kube/kube-api.ts'
import { isKubeError } from '../kube/kube-error.ts'
import type { Logger } from '../telemetry/logger.ts'

export const gatewayExistsFinalizer = 'gateway-exists-finalizer.gateway.networking.k8s.io'

export interface StoredClass {
  readonly name: string
  readonly resourceVersion: string
  readonly finalizers: readonly string[]
  /** A Gateway names it. */
  readonly inUse: boolean
  /** It is being deleted: the API server takes no further finalizer then. */
  readonly isDeleted: boolean
}

/** One patch for each class that has the finalizer and should not, or should and has not. Conflicts are left to the next call. */
export async function writeFinalizers(
  api: Pick<KubeApi, 'patch'>,
  resource: Resource,
  classes: readonly StoredClass[],
  logger: Logger,
): Promise<void> {
  const differing = classes.filter(({ finalizers, inUse, isDeleted }) => {
    const isThere = finalizers.includes(gatewayExistsFinalizer)
    return isThere ? !inUse : inUse && !isDeleted
  })
  await Promise.all(
    differing.map(async ({ name, resourceVersion, finalizers, inUse }) => {
      const next = inUse ? [...finalizers, gatewayExistsFinalizer] : finalizers.filter((one) => one !== gatewayExistsFinalizer)
      try {
        await api.patch(resource, { namespace: '', name }, { metadata: { resourceVersion, finalizers: next } })
      } catch (error) {
        if (isKubeError(error, 409) || isKubeError(error, 404)) return
        logger.warn('the finalizer of a GatewayClass could not be written', { name, reason: (error as Error).message })
      }
    }),
  )
}
