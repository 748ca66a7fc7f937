import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compile } from '../../../src/routing/compile.ts'
import { shadowed, type TableShadows } from '../../../src/routing/shadow.ts'
import { parseScenario } from '../../golden/routing/scenario.ts'
import { allRequests, decide, editedConfig, gatewayConfig } from './small-world.ts'

/** Findings for the routes of a scenario, `rule match: text`. */
function findings(yaml: string): readonly string[] {
  return shadowed(parseScenario(yaml).config).map(({ text }) => text.replaceAll('HTTPRoute/default/', ''))
}

describe('shadowed', () => {
  it('claims nothing that any request contradicts', () => {
    let claims = 0
    fc.assert(
      fc.property(gatewayConfig, (config) => {
        const router = compile(config)
        const winners = new Set(allRequests.map((view) => decide(router, view)))
        for (const { rule, match } of shadowed(config)) {
          claims++
          expect([...winners]).not.toContain(router.rules.get(rule)?.matches[match])
        }
      }),
      { numRuns: 100 },
    )
    expect(claims).toBeGreaterThan(50)
  })

  it('finds after an edit what it finds in the whole, whatever it remembers of the tables', () => {
    fc.assert(
      fc.property(editedConfig, ([before, after]) => {
        const tables: TableShadows = new WeakMap()
        const router = compile(before)
        shadowed(before, router, tables)
        expect(shadowed(after, compile(after, router), tables)).toEqual(shadowed(after))
      }),
      { numRuns: 200 },
    )
  })

  it('finds a rule that repeats an earlier one, of its own route or of an older one', () => {
    expect(findings('routes: {a: {rules: [/x -> v1, /x/ -> v2, /y -> v3]}, b: {rules: [/y -> v4, POST /y -> v5]}}')).toEqual([
      'a/1 (path prefix /x/) never gets a request: match 1 of a/0 comes first and takes everything that it could take',
      'b/0 (path prefix /y) never gets a request: match 1 of a/2 comes first and takes everything that it could take',
    ])
  })

  it('finds prefixes behind a regular expression that takes every path', () => {
    expect(findings('routes: {a: {rules: ["~/.* -> v1", "/x [env=test] -> v2", "=/x -> v3", / -> v4]}}')).toEqual([
      'a/1 (path prefix /x, header env = test) never gets a request: match 1 of a/0 comes first and takes everything that it could take',
    ])
  })

  it('finds an exact value behind an expression that it satisfies', () => {
    expect(findings('routes: {a: {rules: ["/x [v~v.*] -> v1", "/x [v=v1] -> v2", "/x [v=w1] -> v3"]}}')).toEqual([
      'a/1 (path prefix /x, header v = v1) never gets a request: match 1 of a/0 comes first and takes everything that it could take',
    ])
  })

  it('leaves a rule alone that still wins under another hostname or on another listener', () => {
    expect(findings('routes: {a: {hosts: [x.example], rules: [/ -> v1]}, b: {hosts: [x.example, y.example], rules: [/ -> v2]}}')).toEqual(
      [],
    )
    expect(findings('{listeners: [http, https], routes: {a: {on: [http], rules: [/ -> v1]}, b: {rules: [/ -> v2]}}}')).toEqual([])
  })

  it('finds a route for a wider hostname where the listener leaves it only hosts that another takes', () => {
    const routes = '{a: {hosts: ["*.com"], rules: [=/x -> v1]}, b: {hosts: ["*.a.com"], rules: [/ -> v2]}}'
    expect(findings(`{listeners: [http x.a.com], routes: ${routes}}`)).toEqual([
      'a/0 (path /x) never gets a request: match 1 of b/0 comes first and takes everything that it could take',
    ])
    expect(findings(`{listeners: ["http *.com"], routes: ${routes}}`)).toEqual([])
  })

  it('names what stands before a rule, never the rule itself', () => {
    const routes = '{a: {hosts: [x.a.com], rules: [/ -> v1]}, b: {hosts: [x.a.com, "*.a.com"], rules: [/b -> v2, / -> v3]}}'
    expect(findings(`{listeners: [http x.a.com], routes: ${routes}}`)).toEqual([
      'b/1 (path prefix /) never gets a request: match 1 of a/0 comes first and takes everything that it could take',
    ])
    expect(findings('routes: {a: {rules: [{when: ["~/.*", /x], to: v1}]}}')).toEqual([])
  })

  it('finds a route whose hosts a more specific listener serves', () => {
    expect(findings('{listeners: [any http, own http a.com], routes: {a: {on: [any], hosts: [a.com], rules: [/ -> v1]}}}')).toEqual([
      'a/0 (path prefix /) never gets a request: the more specific listener Gateway/default/gateway/own serves all of its hosts',
    ])
  })

  it('tells gRPC requests from others: neither kind of route hides the other on one hostname', () => {
    expect(findings('routes: {a: {rules: ["/ -> web"]}, b: {rules: ["@ -> any", "@shop.Cart -> cart"]}}')).toEqual([])
    const routes = '{a: {hosts: [x.a.com], rules: [/ -> web]}, b: {hosts: ["*.a.com"], rules: ["@ -> rpc"]}}'
    expect(findings(`{listeners: [http x.a.com], routes: ${routes}}`)).toEqual([
      'GRPCRoute/default/b/0 (gRPC, path prefix /) never gets a request: match 1 of a/0 comes first and takes everything that it could take',
    ])
    expect(findings('routes: {a: {rules: ["@shop.Cart -> v1", "@shop.Cart [env=test] -> v2", "@shop.Cart -> v3"]}}')).toEqual([
      'GRPCRoute/default/a/2 (gRPC, path prefix /shop.Cart) never gets a request: match 1 of GRPCRoute/default/a/0 comes first and takes everything that it could take',
    ])
  })

  it('finds matches that no request can satisfy', () => {
    expect(findings('routes: {a: {rules: [=/../x -> v1, "/ [v~(] -> v2"]}}')).toEqual([
      'a/0 (path /../x) never gets a request: a path must begin with "/" and stay below the root, got "/../x"',
      expect.stringMatching(/^a\/1 \(path prefix \/, header v ~ \(\) never gets a request: .*missing/),
    ])
  })
})
