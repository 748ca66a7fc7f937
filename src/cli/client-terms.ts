/** What a client on this machine must know to be served, beside address and hostname. */
import { type Cidr, cidrContains } from '../lib/cidr.ts'
import { parseIp } from '../lib/ip.ts'

export interface ClientTerms {
  /** The development CA's file; undefined when it signed nothing that serves. */
  readonly caCertificate: string | undefined
  /** Peers whose connections begin with a header of the PROXY protocol. */
  readonly acceptProxyProtocol: readonly Cidr[]
}

/** Whether what is sent from here to an address of this machine must begin with a header of the PROXY protocol. */
export function needsHeader({ acceptProxyProtocol }: ClientTerms, address: string): boolean {
  // From one address of 127.0.0.0/8 to another it comes from the first of them, to any other from that one itself.
  const source = parseIp(address.startsWith('127.') ? '127.0.0.1' : address)
  return source !== undefined && acceptProxyProtocol.some((range) => cidrContains(range, source))
}
