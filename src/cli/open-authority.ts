/** The authority of the configuration stream: one Secret that all controllers of a cluster share. */
import { newAuthoritySecret, StreamAuthority } from '../infra/stream-authority.ts'
import { delay } from '../kube/delay.ts'
import type { KubeApi, KubeObject } from '../kube/kube-api.ts'
import { isKubeError } from '../kube/kube-error.ts'
import type { Logger } from '../telemetry/logger.ts'
import { secretResource } from './cluster-writing.ts'
import { UserError } from './user-error.ts'

const authorityName = 'gatewright-stream-authority'

/** Of two controllers that start together one makes it, and both use it. Waits for an API server that cannot be reached. */
export async function openAuthority(api: KubeApi, namespace: string, logger: Logger): Promise<StreamAuthority> {
  for (;;) {
    try {
      const found = await api.get(secretResource, { namespace, name: authorityName })
      return StreamAuthority.of(found ?? (await createAuthority(api, namespace)))
    } catch (error) {
      if (isKubeError(error, 409)) continue
      if (isKubeError(error, 403) || isKubeError(error, 401) || isKubeError(error, 404))
        throw new UserError(
          `Cannot start the controller: it must be able to keep Secret ${namespace}/${authorityName}, got: ${error.message}`,
          1,
          error,
        )
      if (!isKubeError(error, 0)) throw error
      logger.warn('the API server cannot be reached yet', { reason: error.message })
      await delay(1_000)
    }
  }
}

function createAuthority(api: KubeApi, namespace: string): Promise<KubeObject> {
  return api.create(secretResource, newAuthoritySecret(namespace, authorityName, Date.now()))
}
