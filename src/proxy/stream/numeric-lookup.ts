/** For datagram sockets, which look an address up each time: an IP address is itself, at once, and only a name is asked for. */
import { lookup } from 'node:dns'
import { isIP } from 'node:net'

type Found = (error: NodeJS.ErrnoException | null, address: string, family: number) => void

export function asIs(host: string, options: unknown, found: Found): void {
  const family = isIP(host)
  if (family !== 0) found(null, host, family)
  else lookup(host, options as { readonly family?: number }, found)
}
