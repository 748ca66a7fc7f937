/** The cluster's network namespace: a bridge for the pods, and addresses of Services that the machine takes as its own. */
import { writeFileSync } from 'node:fs'
import { LOAD_BALANCER_NETWORK, NODE, POD_NETWORK, SERVICE_NETWORK } from '../addresses.ts'
import { runTool } from './run-tool.ts'

export async function setUpNetwork(): Promise<void> {
  const { bridge, bits } = POD_NETWORK
  await runTool(
    'ip',
    ['-batch', '-'],
    [
      'link set lo up',
      `link add ${bridge} type bridge`,
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
