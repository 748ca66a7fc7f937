/**
 * Query parameters as HTTPQueryParamMatch compares them: decoded, names case-sensitive, and of a repeated name the
 * first value counts (its prose recommends that). Decoding is that of forms: `+` is a space, a percent sign that
 * begins no triple stands for itself.
 */
import type { RequestView, Subject } from './router.ts'

export class LazySubject implements Subject {
  readonly request: RequestView
  #parameters: ReadonlyMap<string, string> | undefined

  constructor(request: RequestView) {
    this.request = request
  }

  queryValue(name: string): string | undefined {
    this.#parameters ??= parseQuery(this.request.query)
    return this.#parameters.get(name)
  }
}

/** First value of each name; byte strings. */
export function parseQuery(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decoded(equals === -1 ? pair : pair.slice(0, equals))
    if (!parameters.has(name)) parameters.set(name, equals === -1 ? '' : decoded(pair.slice(equals + 1)))
  }
  return parameters
}

function decoded(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  return spaced.replace(/%([0-9A-Fa-f]{2})/g, (_triple, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
