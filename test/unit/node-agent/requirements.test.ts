import { describe, expect, it } from 'vitest'
import { whatIsMissing } from '../../cluster/requirements.ts'

const machine = { platform: 'linux', uid: 0, find: (program: string) => `/usr/bin/${program}` }

describe('what a machine lacks for a cluster', () => {
  it('is nothing, or one line', () => {
    expect(whatIsMissing(machine)).toBeUndefined()
    expect(whatIsMissing({ ...machine, uid: 1000 })).toBe(
      'the user must be root, to make network namespaces, got user 1000. Run it again with sudo.',
    )
    expect(whatIsMissing({ ...machine, platform: 'darwin' })).toBe('the system must be Linux, for its network namespaces, got darwin.')
    expect(whatIsMissing({ ...machine, find: (program) => (['ip', 'nft'].includes(program) ? undefined : program) })).toBe(
      'the machine must have ip, nft. Run: apt-get install iproute2 nftables',
    )
  })
})
