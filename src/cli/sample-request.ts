/** A request that a route would take, for a person to try: of its matches one that is answered, with a value for every pattern. */
import { RE2JS } from 're2js'
import type { HttpMatchConfig, HttpRouteConfig, HttpRuleConfig } from '../config/route.ts'

export interface SampleRequest {
  readonly method: string
  /** With the query, percent-encoded where a URL needs it. */
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** The first match that is literal and whose rule answers, then one whose patterns can be met, then whatever the route has. */
export function sampleRequest(route: HttpRouteConfig): SampleRequest {
  const samples = route.rules.flatMap((rule) => rule.matches.map((match) => ({ ...requestFor(match), isAnswered: answers(rule) })))
  const whole = samples.filter(({ isWhole }) => isWhole)
  const answered = whole.filter(({ isAnswered }) => isAnswered)
  const found = answered.find(({ isLiteral }) => isLiteral) ?? answered[0] ?? whole.find(({ isLiteral }) => isLiteral) ?? whole[0]
  return found ?? samples[0] ?? { method: 'GET', target: '/', headers: [] }
}

function answers({ backends, filters }: HttpRuleConfig): boolean {
  return filters.some(({ kind }) => kind === 'redirect') || (backends.length > 0 && backends.every(({ kind }) => kind === 'pool'))
}

interface Sample extends SampleRequest {
  readonly isLiteral: boolean
  /** Every pattern of it is met. */
  readonly isWhole: boolean
}

function requestFor({ path, method = 'GET', headers, query }: HttpMatchConfig): Sample {
  const way = path.kind === 'regex' ? meeting(path.value, '/') : path.value
  const fields = headers.map(({ kind, name, value }) => [name, kind === 'regex' ? meeting(value, '') : value] as const)
  const parameters = query.map(({ kind, name, value }) => [name, kind === 'regex' ? meeting(value, '') : value] as const)
  const known = (pairs: readonly (readonly [string, string | undefined])[]): [string, string][] =>
    pairs.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  const search = known(parameters).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  return {
    method,
    target: [way ?? '/', ...(search.length === 0 ? [] : [search.join('&')])].join('?'),
    headers: known(fields),
    isLiteral: [path, ...headers, ...query].every(({ kind }) => kind !== 'regex'),
    isWhole: way?.startsWith('/') === true && ![...fields, ...parameters].some(([, value]) => value === undefined),
  }
}

/** A short text that the RE2 pattern matches whole, found by simplifying it; undefined for one that is not that simple. */
function meeting(pattern: string, first: string): string | undefined {
  const simple = pattern
    .replace(/^\(\?i\)/, '')
    .replaceAll(/[\^$]/g, (anchor, at: number) => (pattern[at - 1] === '[' ? anchor : ''))
    .replaceAll(/\((?:\?:|\?P?<\w+>)?([^()|]*)(?:\|[^()]*)?\)/g, '$1')
    .replaceAll(/\[0-9\]|\\d/g, '1')
    .replaceAll(/\[\^[^\]]*\]|\[(?:a|A)-[^\]]*\]|\\w/g, 'a')
    .replaceAll(/\[(\w)[^\]]*\]/g, '$1')
    .replaceAll(/(?<!\\)\.(?=[*+?{])/g, 'a')
    .replaceAll(/\{(\d+)[^}]*\}/g, (_all, count: string) => `{${count}}`)
    .replaceAll(/(.)\{(\d+)\}/g, (_all, character: string, count: string) => character.repeat(Math.min(Number(count), 100)))
    .replaceAll(/(?<!\\)[*+?]/g, '')
    .replaceAll(/\\(\W)/g, '$1')
  try {
    const compiled = RE2JS.compile(pattern)
    return [first, simple, simple.split('|')[0] ?? simple].find((text) => /^[\x21-\x7e]*$/.test(text) && compiled.matches(text))
  } catch {
    return undefined
  }
}
