import { describe, expect, it } from 'vitest'
import { nearest } from '../../../src/lib/nearest.ts'

describe('the word that was meant', () => {
  const words = ['hostnames', 'parentRefs', 'rules', 'port']
  it.each([
    ['hostname', 'hostnames'],
    ['parentrefs', 'parentRefs'],
    ['parentRef', 'parentRefs'],
    ['rulse', undefined],
    ['rule', 'rules'],
    ['ports', 'port'],
    ['x', undefined],
    ['matches', undefined],
  ])('for %s is %s', (word, expected) => {
    expect(nearest(word, words)).toBe(expected)
  })
})
