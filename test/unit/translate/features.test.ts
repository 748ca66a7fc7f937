import { describe, expect, it } from 'vitest'
import { SUPPORTED_FEATURES } from '../../../src/translate/features.ts'

describe('the supported features', () => {
  it('are sorted and no more than the status may hold (GatewayClassStatus.supportedFeatures)', () => {
    const names = SUPPORTED_FEATURES.map(({ name }) => name)
    expect(names).toEqual([...new Set(names)].sort())
    expect(names.length).toBeLessThanOrEqual(64)
  })
})
