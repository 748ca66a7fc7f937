/** A pod's network: a namespace, a pair of interfaces that leads to the bridge, an address. */
import { NODE, POD_NETWORK } from '../addresses.ts'
import { runTool } from '../inside/run-tool.ts'

export interface PodNetwork {
  /** The namespace's file, for nsenter. */
  readonly path: string
  readonly address: string
  remove(): Promise<void>
}

/** `id` must be unlike those of all other pods, and at most 11 characters long (interfaces' names have 15). */
export async function makePodNetwork(id: string, address: string): Promise<PodNetwork> {
  await runTool('ip', ['netns', 'add', id])
  const outer = [`link add veth${id} type veth peer name eth0 netns ${id}`, `link set veth${id} master ${POD_NETWORK.bridge} up`]
  await runTool('ip', ['-batch', '-'], `${outer.join('\n')}\n`)
  const inner = ['link set lo up', `addr add ${address}/${POD_NETWORK.bits} dev eth0`, 'link set eth0 up', `route add default via ${NODE}`]
  await runTool('ip', ['-netns', id, '-batch', '-'], `${inner.join('\n')}\n`)
  return {
    path: `/run/netns/${id}`,
    address,
    // The pair of interfaces goes with the namespace; without delay when it is taken away by hand.
    remove: async () => {
      await runTool('ip', ['link', 'del', `veth${id}`]).catch(() => {})
      await runTool('ip', ['netns', 'del', id])
    },
  }
}
