/** Nanoseconds of one routing decision, which must not grow with the number of rules. Run: tsc -p tsconfig.bench.json, then node build/bench/micro-route.js */
import { cpus } from 'node:os'
import { compile } from '../src/routing/compile.ts'
import { writtenRequest } from '../src/routing/request.ts'
import type { GatewayConfig } from '../src/config/config.ts'
import type { HttpRuleConfig, PathMatchConfig } from '../src/config/route.ts'
import type { RequestView } from '../src/routing/router.ts'

const listener = 'Gateway/default/gateway/http'

function rule(index: number, path: PathMatchConfig): HttpRuleConfig {
  return {
    key: `HTTPRoute/default/bench/${index}`,
    index,
    matches: [{ path, headers: [{ kind: 'exact', name: 'x-env', value: 'canary' }], query: [] }],
    filters: [],
    backends: [
      { kind: 'pool', pool: 'stable', weight: 90, filters: [] },
      { kind: 'pool', pool: 'canary', weight: 10, filters: [] },
    ],
    timeouts: {},
  }
}

function gateway(hostname: string, rules: readonly HttpRuleConfig[]): GatewayConfig {
  return {
    gateway: 'default/gateway',
    listeners: [{ key: listener, name: 'http', port: 80, protocol: 'HTTP', hostname: '' }],
    routes: [{ kind: 'http', key: 'HTTPRoute/default/bench', attachments: [{ listener, hostnames: [hostname] }], rules }],
    streams: [],
    pools: [],
    certificates: [],
  }
}

function prefixRules(count: number): readonly HttpRuleConfig[] {
  return Array.from({ length: count }, (_, i) => rule(i, { kind: 'prefix', value: `/r${i}` }))
}

function request(url: string): RequestView {
  const written = writtenRequest('GET', url, [
    ['user-agent', 'bench'],
    ['x-env', 'canary'],
  ])
  if ('problem' in written) throw new Error(written.problem)
  return written.request
}

/** Nanoseconds of one call, the best of several rounds. */
function measure(call: () => unknown): number {
  const rounds = Array.from({ length: 7 }, () => {
    const calls = 300_000
    let found = 0
    const start = process.hrtime.bigint()
    for (let i = 0; i < calls; i++) if (call() !== undefined) found++
    const elapsed = Number(process.hrtime.bigint() - start)
    if (found !== calls) throw new Error(`Cannot measure: every request must match, got ${found} of ${calls}`)
    return elapsed / calls
  })
  return Math.min(...rounds)
}

const cases: readonly (readonly [name: string, config: GatewayConfig, url: string])[] = [
  ['10 prefix rules with a header', gateway('a.example', prefixRules(10)), 'http://a.example/r7/cart'],
  ['100 prefix rules with a header', gateway('a.example', prefixRules(100)), 'http://a.example/r77/cart'],
  ['10,000 prefix rules with a header', gateway('a.example', prefixRules(10_000)), 'http://a.example/r7777/cart'],
  ['100 rules, wildcard host', gateway('*.example', prefixRules(100)), 'http://a.example/r77/cart'],
  ['100 rules, deep path', gateway('a.example', prefixRules(100)), `http://a.example/r77${'/a'.repeat(500)}`],
  ['regular expression', gateway('a.example', [rule(0, { kind: 'regex', value: '/r[0-9]+/[a-z]+' })]), 'http://a.example/r77/cart'],
]

console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`)
for (const [name, config, url] of cases) {
  const port = compile(config).ports.get(80)
  const view = request(url)
  const decision = measure(() => port?.listenerFor(view.host)?.decide(view))
  console.log(`${decision.toFixed(0).padStart(6)} ns  ${name}`)
}
const [, first] = cases
const match = first && compile(first[1]).ports.get(80)?.listenerFor('a.example')?.decide(request(first[2]))
console.log(
  `${measure(() => match?.rule.chooseBackend())
    .toFixed(0)
    .padStart(6)} ns  choice between two backends`,
)
