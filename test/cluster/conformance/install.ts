/** Brings Gatewright into the cluster as its users do it, and waits until it took its GatewayClass. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '../checkout.ts'
import type { Cluster } from '../cluster.ts'
import { ClusterError } from '../user-error.ts'
import { CONTROLLER_NAME, GATEWAY_CLASS } from './implementation.ts'

/** Seconds. */
const patience = 30

/** Throws one line that says what did not happen. */
export async function installGatewright(cluster: Cluster): Promise<void> {
  const controller = await applyController(cluster)
  await cluster.apply([
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: GATEWAY_CLASS },
      spec: { controllerName: CONTROLLER_NAME },
    },
  ])
  await untilAccepted(cluster, controller)
}

/** The manifests of deploy/ as they are; the image that they name is this checkout (node/images.ts). Returns what was done, for messages. */
async function applyController(cluster: Cluster): Promise<string> {
  const folder = join(checkout, 'deploy')
  if (!existsSync(folder)) return 'no controller was installed: there is no folder deploy/'
  await cluster.kubectl(['apply', '--server-side', '-f', folder])
  return `the controller of ${folder} was installed`
}

async function untilAccepted(cluster: Cluster, controller: string): Promise<void> {
  const name = `gatewayclass/${GATEWAY_CLASS}`
  const waited = await cluster.exec([cluster.binaries.kubectl, 'wait', name, '--for=condition=Accepted', `--timeout=${patience}s`])
  if (waited.status === 0) return
  const condition = '{range .status.conditions[?(@.type=="Accepted")]}{.status} {.reason}: {.message}{end}'
  const state = await cluster.kubectl(['get', name, '-o', `jsonpath=${condition}`])
  throw new ClusterError(
    `Cannot run the suite: GatewayClass ${GATEWAY_CLASS} must be Accepted within ${patience} s, got ${state || 'no condition'} (${controller}).`,
  )
}
