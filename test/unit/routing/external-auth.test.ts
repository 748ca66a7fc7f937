import { describe, expect, it } from 'vitest'
import type { ExternalAuthConfig } from '../../../src/config/filter.ts'
import { compileAuth } from '../../../src/routing/external-auth.ts'
import { compileFilters } from '../../../src/routing/filters.ts'

const context = { moved: [], phase: () => 0 }

function config(change: Partial<ExternalAuthConfig> = {}): ExternalAuthConfig {
  return {
    kind: 'externalAuth',
    protocol: 'http',
    target: { kind: 'pool', pool: 'auth' },
    pathPrefix: '',
    requestHeaders: [],
    responseHeaders: [],
    maxBody: 0,
    ...change,
  }
}

describe('external authorisation', () => {
  it('by HTTP always gets Authorization and what the route adds, by gRPC everything or what the route names', () => {
    expect(compileAuth(config())).toMatchObject({ requestHeaders: new Set(['authorization']), responseHeaders: undefined })
    expect(compileAuth(config({ requestHeaders: ['x-a'] }))).toMatchObject({ requestHeaders: new Set(['authorization', 'x-a']) })
    expect(compileAuth(config({ protocol: 'grpc' }))).toMatchObject({ requestHeaders: undefined })
    expect(compileAuth(config({ protocol: 'grpc', requestHeaders: ['cookie'] }))).toMatchObject({ requestHeaders: new Set(['cookie']) })
  })

  it('never gives the request fields that frame it', () => {
    const auth = compileAuth(config({ responseHeaders: ['x-user', 'host', 'content-length', 'transfer-encoding'] }))
    expect(auth).toMatchObject({ responseHeaders: new Set(['x-user']) })
  })

  it.each([
    ['', ''],
    ['/', ''],
    ['/check', '/check'],
    ['/check/', '/check'],
    ['check', '/check'],
    ['/a/../check', '/check'],
  ])('puts the prefix %j before paths as %j', (pathPrefix, expected) => {
    expect(compileAuth(config({ pathPrefix }))).toMatchObject({ pathPrefix: expected })
  })

  it('that cannot be asked fails the whole rule, beside whatever other filters', () => {
    const target = { kind: 'fail' as const, backend: 'auth', reason: 'BackendNotFound', message: 'Service auth does not exist.' }
    const cors = { kind: 'cors', origins: ['*'], credentials: false, methods: [], headers: [], exposeHeaders: [], maxAge: 5 } as const
    const compiled = compileFilters([cors, config({ target })], context)
    expect(compiled).toMatchObject({ answer: { kind: 'fail', message: 'Service auth does not exist.' }, cors: undefined, auth: undefined })
    expect(compileFilters([config({ pathPrefix: '/../up' })], context)?.answer?.kind).toBe('fail')
  })

  it('stands beside other filters when it can be asked', () => {
    const compiled = compileFilters([config(), { kind: 'redirect', status: 302 }], context)
    expect(compiled).toMatchObject({ answer: { kind: 'redirect' }, auth: { pool: 'auth' } })
  })
})
