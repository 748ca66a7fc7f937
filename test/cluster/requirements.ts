/** What the machine must have for a cluster, beside Node. Go is looked for only when something has to be built (programs/go.ts). */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { UnavailableError } from './user-error.ts'

const TOOLS = [
  { program: 'ip', from: 'iproute2' },
  { program: 'nft', from: 'nftables' },
  { program: 'openssl', from: 'openssl' },
  { program: 'unshare', from: 'util-linux' },
  { program: 'nsenter', from: 'util-linux' },
  { program: 'setpriv', from: 'util-linux' },
  { program: 'mount', from: 'mount' },
] as const

interface Machine {
  readonly platform: string
  readonly uid: number | undefined
  readonly find: (program: string) => string | undefined
}

/** Throws one line that says what is missing and what to do. */
export function demandRequirements(): void {
  const missing = whatIsMissing({ platform: process.platform, uid: process.getuid?.(), find: findProgram })
  if (missing !== undefined) throw new UnavailableError(`Cannot start the cluster: ${missing}`)
}

export function whatIsMissing({ platform, uid, find }: Machine): string | undefined {
  if (platform !== 'linux') return `the system must be Linux, for its network namespaces, got ${platform}.`
  if (uid !== 0) return `the user must be root, to make network namespaces, got user ${uid}. Run it again with sudo.`
  const missing = TOOLS.filter(({ program }) => find(program) === undefined)
  if (missing.length === 0) return undefined
  const packages = [...new Set(missing.map(({ from }) => from))].join(' ')
  return `the machine must have ${missing.map(({ program }) => program).join(', ')}. Run: apt-get install ${packages}`
}

/** PATH with the folders of the system's tools, which not every user's has. */
export function searchPath(): string {
  return [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter)
}

/** The path of a program that PATH leads to. */
export function findProgram(name: string): string | undefined {
  const folders = searchPath().split(delimiter)
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
