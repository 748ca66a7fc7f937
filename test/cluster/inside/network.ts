/** The cluster's network namespace: a bridge for the pods, and addresses of Services that the machine takes as its own. */
import { writeFileSync } from 'node:fs'
import { LOAD_BALANCER_NETWORK, NODE, POD_NETWORK, SERVICE_NETWORK } from '../addresses.ts'
import { runTool } from './run-tool.ts'

/** Administered locally; the last four bytes are the node's address. */
const hardwareAddress = ['0a', '58', ...NODE.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'))].join(':')

export async function setUpNetwork(): Promise<void> {
  const { bridge, bits } = POD_NETWORK
  await runTool(
    'ip',
    ['-batch', '-'],
    [
      'link set lo up',
      // Without an address of its own a bridge takes the lowest of its ports', which go with their pods: others then send into the void.
      `link add ${bridge} address ${hardwareAddress} type bridge`,
      `addr add ${NODE}/${bits} dev ${bridge}`,
      `link set ${bridge} up`,
      // A packet to a Service needs a route before the rules can send it elsewhere.
      `route add local ${LOAD_BALANCER_NETWORK} dev lo`,
      `route add local ${SERVICE_NETWORK} dev lo`,
      '',
    ].join('\n'),
  )
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
}
