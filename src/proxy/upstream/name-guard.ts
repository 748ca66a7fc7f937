/**
 * Addresses that the name of a backend may not lead to (GEP-4894, FQDN Security Analysis: a name is trusted as DNS has it, and a data plane
 * may protect itself). Whoever may write an XBackend decides by DNS where the gateway connects; what only the gateway's own
 * machine can reach would take its requests for those of a friend: loopback, link-local, the metadata services of clouds
 * wherever they are, and the addresses of the machine itself, where the admin port listens. EndpointSlices may not hold most of these either.
 */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { type Cidr, cidrContains, parseCidr } from '../../lib/cidr.ts'
import { isLoopback, parseIp } from '../../lib/ip.ts'

const REFUSED: readonly Cidr[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  /** Of protocols (RFC 6890); a cloud has its metadata service there. */
  '192.0.0.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  /**
   * IPv4 in other clothes: mapped and compatible (RFC 4291 section 2.5.5), translated (RFC 7915), by NAT64 (RFC 6052, RFC 8215), by 6to4
   * (RFC 3056) and by Teredo (RFC 4380).
   */
  '::/96',
  '::ffff:0:0/96',
  '::ffff:0:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2002::/16',
  '2001::/32',
  'fe80::/10',
  'ff00::/8',
  /** Metadata services of clouds that are not link-local: of Alibaba Cloud, Azure, AWS, Google Cloud, Oracle Cloud and Scaleway. */
  '100.100.100.200',
  '168.63.129.16',
  'fd00:ec2::254',
  'fd20:ce::254',
  'fd00:c1::a9fe:a9fe',
  'fd00:42::42',
].flatMap((text) => parseCidr(text) ?? [])

type Interfaces = Readonly<Record<string, readonly Pick<NetworkInterfaceInfo, 'address'>[] | undefined>>

/** @param loopback true where the gateway serves who it runs for: then a name may be one of this machine's loopback */
export function mayLeadTo(address: string, loopback: boolean, interfaces: Interfaces = networkInterfaces()): boolean {
  const ip = parseIp(address)
  if (ip === undefined) return false
  if (isLoopback(address)) return loopback
  if (REFUSED.some((range) => cidrContains(range, ip))) return false
  if (loopback) return true
  return !Object.values(interfaces).some((ours) => ours?.some((one) => parseIp(one.address)?.bits === ip.bits))
}
