/** Where a port of a Gateway really listens: identity in a pod, moved ports and loopback addresses on a laptop. */
export type Placement = (gateway: string, port: number) => { readonly address: string; readonly port: number }
