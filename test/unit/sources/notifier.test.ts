import { expect, it } from 'vitest'
import { Notifier } from '../../../src/sources/file/notifier.ts'
import { folder } from './folder.ts'

it('a folder that cannot be watched is told, so that a poll takes its place', () => {
  let failures = 0
  const notifier = new Notifier(
    () => {},
    () => (failures += 1),
  )
  try {
    notifier.watch(new Map([[folder().path, '']]), [])
    expect(failures).toBe(0)
    notifier.watch(new Map([['/nowhere/at/all', '']]), [])
    expect(failures).toBe(1)
  } finally {
    notifier.close()
  }
})
