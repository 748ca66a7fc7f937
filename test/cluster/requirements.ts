/** What the machine must have for a cluster, beside Node. Go is looked for only when something has to be built (programs/go.ts). */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { ClusterError } from './user-error.ts'

const TOOLS = [
  { program: 'ip', from: 'iproute2' },
  { program: 'nft', from: 'nftables' },
  { program: 'openssl', from: 'openssl' },
  { program: 'unshare', from: 'util-linux' },
  { program: 'nsenter', from: 'util-linux' },
  { program: 'setpriv', from: 'util-linux' },
  { program: 'mount', from: 'mount' },
] as const

/** Throws one line that says what is missing and what to do. */
export function demandRequirements(): void {
  const missing = TOOLS.filter(({ program }) => findProgram(program) === undefined)
  if (process.platform !== 'linux') throw new ClusterError(`Cannot start the cluster: it needs Linux's network namespaces, got ${process.platform}.`)
  if (process.getuid?.() !== 0)
    throw new ClusterError('Cannot start the cluster: it must be root, to make network namespaces. Run it again with sudo.')
  if (missing.length > 0) {
    const packages = [...new Set(missing.map(({ from }) => from))].join(' ')
    throw new ClusterError(
      `Cannot start the cluster: ${missing.map(({ program }) => program).join(', ')} must be installed. Install: ${packages} (apt-get install ${packages}).`,
    )
  }
}

/** The path of a program that PATH leads to. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
