/** Where proxies reach the controllers. */
import type { Snapshot } from '../cluster/snapshot.ts'
import { proxyResources } from '../infra/proxy-manifests.ts'
import type { KubeApi } from '../kube/kube-api.ts'
import { hostPort } from '../lib/host-port.ts'
import { UserError } from './user-error.ts'

export interface ControllerPlace {
  readonly namespace: string
  /** By which proxies reach the controllers. */
  readonly service: string
  readonly streamPort: string
  /** `host:port`, in place of the Service's. */
  readonly streamAddress?: string
  /** Of this controller's pod. */
  readonly podIp?: string
}

/** The cluster's address of the controllers' Service needs no DNS and outlives every controller. */
export async function streamAddress(
  api: KubeApi,
  { streamAddress: given, namespace, service, streamPort }: ControllerPlace,
): Promise<string> {
  if (given !== undefined) return given
  const found = await api.get(proxyResources.service, { namespace, name: service })
  const address = (found?.['spec'] as { readonly clusterIP?: string } | undefined)?.clusterIP
  if (address === undefined || address === '' || address === 'None') {
    throw new UserError(
      `Cannot start the controller: Service ${namespace}/${service} must be there and have a cluster IP, so that proxies find the controllers; ` +
        'apply deploy/gatewright.yaml, or name an address with --stream-address',
      1,
    )
  }
  return hostPort(address, streamPort)
}

/** Every controller that is there, by the address of its pod; none where this one runs outside of the cluster. */
export function peersIn(objects: Snapshot, { namespace, service, streamPort, podIp }: ControllerPlace): readonly string[] {
  if (podIp === undefined) return []
  const slices = objects.bucket('slicesByService', `${namespace}/${service}`)
  const addresses = slices.flatMap(({ endpoints }) => endpoints.flatMap((endpoint) => endpoint.addresses))
  return [...new Set(addresses)].sort().map((address) => hostPort(address, streamPort))
}
