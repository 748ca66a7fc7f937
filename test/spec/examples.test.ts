import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from '../../src/api/parse.ts'
import { findGatewayApi, readManifests } from './gateway-api.ts'

const gatewayApi = findGatewayApi()

describe.skipIf(gatewayApi === undefined)("the Gateway API's own manifests", () => {
  const root = gatewayApi ?? ''

  it.each(gatewayApi === undefined ? [] : readManifests(join(root, 'examples')))('example $file is accepted', ({ documents }) => {
    const errors = documents.flatMap((document) => {
      const parsed = parse(document)
      return parsed.kind === 'unknown' ? [] : parsed.issues.map((issue) => issue.message)
    })
    expect(errors).toEqual([])
  })

  it.each(gatewayApi === undefined ? [] : readManifests(join(root, 'hack/invalid-examples')))(
    'invalid example $file is refused',
    ({ documents }) => {
      const kinds = documents.map((document) => parse(document).kind)
      expect(kinds).toContain('invalid')
    },
  )
})
