import { describe, expect, it } from 'vitest'
import { endIn } from '../../cluster/conformance/suite-run.ts'
import { summaryOf } from '../../cluster/conformance/summary.ts'

describe("the suite's output", () => {
  it('names tests of the suite, not their parts', () => {
    expect(endIn('    --- PASS: TestConformance/HTTPRouteWeight (3.21s)')).toEqual({
      name: 'HTTPRouteWeight',
      result: 'PASS',
      seconds: 3.21,
    })
    expect(endIn('        --- FAIL: TestConformance/HTTPRouteWeight/part_one (1.00s)')).toBeUndefined()
    expect(endIn('--- FAIL: TestConformance (9.00s)')).toBeUndefined()
  })

  it('becomes a table with what failed and where the time went', () => {
    const level = (Passed: number, Failed: number) => ({
      result: Failed > 0 ? 'failure' : 'success',
      statistics: { Passed, Failed, Skipped: 0 },
    })
    const report = { profiles: [{ name: 'GATEWAY-HTTP', core: level(33, 1), extended: level(5, 0) }] }
    const tests = [
      { name: 'Fast', result: 'PASS', seconds: 1 },
      { name: 'Slow', result: 'FAIL', seconds: 8 },
    ] as const
    expect(summaryOf(report, tests, 20)).toEqual([
      '',
      'profile       level     result   passed  failed  skipped',
      'GATEWAY-HTTP  core      failure  33      1       0',
      '              extended  success  5       0       0',
      '',
      'Failed',
      '  Slow',
      '',
      'Where the time went',
      '     8.0 s  Slow',
      '     1.0 s  Fast',
      '     9.0 s  in 2 tests, 11.0 s beside them',
    ])
  })

  it('without a report says so', () => {
    expect(summaryOf(undefined, [], 1)[1]).toBe('There is no report.')
  })
})
