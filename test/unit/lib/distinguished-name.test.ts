import { describe, expect, it } from 'vitest'
import { distinguishedName } from '../../../src/lib/distinguished-name.ts'

describe('the name of a subject (RFC 4514)', () => {
  it.each([
    ['one relative name', 'CN=somebody', 'CN=somebody'],
    ['the last relative name first', 'C=DE\nO=Example\nCN=somebody', 'CN=somebody,O=Example,C=DE'],
    ['a relative name of several values', 'O=Example + OU=a \\+ b\nCN=x', 'CN=x,O=Example+OU=a \\+ b'],
    ['what separates, escaped', 'O=Ex\\, Inc.\\;', 'O=Ex\\, Inc.\\;'],
    ['a space at the end', 'CN=x\\ ', 'CN=x\\ '],
    ['a quote and a backslash, as digits', 'CN=a\\"\\\\', 'CN=a\\22\\5C'],
    ['what is no ASCII, as digits', 'CN=é€😀', 'CN=\\C3\\A9\\E2\\82\\AC\\F0\\9F\\98\\80'],
    ['digits that are there', 'CN=a\\0D\\0Ab', 'CN=a\\0D\\0Ab'],
    ['nothing', '', ''],
  ])('holds %s', (_what, subject, name) => {
    expect(distinguishedName(subject)).toBe(name)
  })
})
