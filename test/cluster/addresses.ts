/** The addresses of the cluster's own network. Nothing outside its namespace sees them. */

/** The node: the bridge that all pods are on. */
export const NODE = '10.244.0.1'
export const NODE_NAME = 'box'
export const POD_NETWORK = { prefix: '10.244', bits: 16, bridge: 'pods' } as const
export const SERVICE_NETWORK = '10.96.0.0/16'
/** The address of Service default/kubernetes: the first of the network. */
export const API_SERVICE = '10.96.0.1'
/** Not 6443: a Gateway of the conformance suite listens there. */
export const API_PORT = 16443
export const KUBELET_PORT = 10250
export const LOAD_BALANCER_NETWORK = '10.245.0.0/24'
const LOAD_BALANCER_PREFIX = '10.245.0.'
/** Given to whoever asks for no address: 1 to 199. The rest of the pool is only for those who ask by name. */
export const GIVEN = { first: 1, last: 199 } as const
const LAST_OF_POOL = 254

/** For the conformance suite's flags. */
export const USABLE_ADDRESS = `${LOAD_BALANCER_PREFIX}250`
export const UNUSABLE_ADDRESS = '198.51.100.1'

export function loadBalancerAddress(host: number): string {
  return `${LOAD_BALANCER_PREFIX}${host}`
}

export function isInPool(address: string): boolean {
  const host = Number(address.startsWith(LOAD_BALANCER_PREFIX) ? address.slice(LOAD_BALANCER_PREFIX.length) : Number.NaN)
  return Number.isInteger(host) && host >= 1 && host <= LAST_OF_POOL
}

/** The n-th address for a pod, from 0; pods of one run do not follow each other on one address. */
export function podAddress(n: number): string {
  const hosts = 250
  return `${POD_NETWORK.prefix}.${1 + (Math.floor(n / hosts) % hosts)}.${1 + (n % hosts)}`
}
