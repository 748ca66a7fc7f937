/**
 * The addresses of a name: from the hosts file, or else from DNS with their time to live.
 *
 * The name is absolute, whatever the search list of the system: in a pod `db.other` would else be the Service of another
 * namespace, which only a ReferenceGrant may open. One family is used, IPv4 where the name has it, unless the machine has IPv6 alone:
 * half of the requests would go to addresses that cannot be reached.
 */
import { Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { isIP } from 'node:net'

/** @param signal nobody wants to know any more: the questions that are under way end */
export type NameLookup = (hostname: string, signal: AbortSignal) => Promise<NameOutcome>

export type NameOutcome =
  /** `ttl`: milliseconds for which the answer may be used; undefined where nobody says. */
  | { readonly kind: 'found'; readonly addresses: readonly string[]; readonly ttl: number | undefined }
  /** The name does not exist, or has no address. */
  | { readonly kind: 'absent' }
  /** Nobody could say. */
  | { readonly kind: 'failed'; readonly reason: string }

export interface NameLookupOptions {
  /** Milliseconds for one question to one server; it is asked twice. */
  readonly answerTime: number
  /** `address` or `address:port`; absent: those of the system. */
  readonly servers?: readonly string[] | undefined
  readonly hostsFile?: string
}

export function createNameLookup({ answerTime: timeout, servers, hostsFile = '/etc/hosts' }: NameLookupOptions): NameLookup {
  return async (hostname, signal) => {
    const local = isLocalhost(hostname) ? ['127.0.0.1'] : await fromHosts(hostname, hostsFile)
    if (local.length > 0) return { kind: 'found', addresses: local, ttl: undefined }
    // A new one sees what became of the system's servers.
    const resolver = new Resolver({ timeout, tries: 2 })
    if (servers !== undefined) resolver.setServers([...servers])
    const cancel = (): void => resolver.cancel()
    signal.addEventListener('abort', cancel)
    try {
      const [first, second] = hasOnlyIpv6() ? ([6, 4] as const) : ([4, 6] as const)
      const found = await asked(resolver, hostname, first)
      return found.kind === 'absent' && !signal.aborted ? await asked(resolver, hostname, second) : found
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }
}

/** RFC 6761 section 6.3: such names are this machine's, and nobody is asked. */
function isLocalhost(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost')
}

async function asked(resolver: Resolver, hostname: string, family: 4 | 6): Promise<NameOutcome> {
  try {
    const records = await (family === 4 ? resolver.resolve4(hostname, { ttl: true }) : resolver.resolve6(hostname, { ttl: true }))
    if (records.length === 0) return { kind: 'absent' }
    return { kind: 'found', addresses: records.map(({ address }) => address), ttl: Math.min(...records.map(({ ttl }) => ttl)) * 1000 }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    return code === 'ENOTFOUND' || code === 'ENODATA' ? { kind: 'absent' } : { kind: 'failed', reason: message }
  }
}

/** Lines of an address and its names (hosts(5)); a file that is not there has none. */
async function fromHosts(hostname: string, path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const found = text.split('\n').flatMap((line) => {
    const [address = '', ...names] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/)
    return names.some((name) => name.toLowerCase() === hostname) && isIP(address) !== 0 ? [address] : []
  })
  const preferred = found.filter((address) => isIP(address) === (hasOnlyIpv6() ? 6 : 4))
  return preferred.length > 0 ? preferred : found
}

function hasOnlyIpv6(): boolean {
  const families = new Set(
    Object.values(networkInterfaces()).flatMap((ours) => (ours ?? []).flatMap(({ internal, family }) => (internal ? [] : [family]))),
  )
  return families.has('IPv6') && !families.has('IPv4')
}
