/** The filters whose cost is measured: each is a rule of its own, beside one without any, and all get the same request. */

export interface FilterRow {
  readonly name: string
  readonly prefix: string
  /** Further fields of the rule, each a line of YAML. */
  readonly rule: readonly string[]
  /** What it may add, as a part of what the GET costs without it; undefined: it has no target. */
  readonly most: number | undefined
}

export const filterHost = 'filters.example.com'

export const plainRow: FilterRow = { name: 'no filter', prefix: '/f0', rule: [], most: undefined }

/** Prefixes of one length, so that finding the rule costs the same. */
export const filterRows: readonly FilterRow[] = [
  plainRow,
  {
    name: 'request header modifier',
    prefix: '/f1',
    rule: ['filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-Team, value: shop}]}}]'],
    most: 0.05,
  },
  {
    name: 'response header modifier',
    prefix: '/f2',
    rule: ['filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: X-Team, value: shop}]}}]'],
    most: 0.05,
  },
  {
    name: 'URL rewrite',
    prefix: '/f3',
    rule: ['filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}}}]'],
    most: 0.05,
  },
  {
    name: 'mirror of every request',
    prefix: '/f4',
    rule: ['filters: [{type: RequestMirror, requestMirror: {backendRef: {name: backend, port: 80}}}]'],
    most: 1.2,
  },
  {
    name: 'retries, unused',
    prefix: '/f5',
    rule: ['retry: {codes: [502, 503, 504], attempts: 3, backoff: 100ms}'],
    most: 0.02,
  },
  {
    name: 'CORS, an actual request',
    prefix: '/f6',
    rule: ['filters: [{type: CORS, cors: {allowOrigins: ["https://app.example.com"], allowMethods: [GET]}}]'],
    most: undefined,
  },
  {
    name: 'session persistence, a known cookie',
    prefix: '/f7',
    rule: ['sessionPersistence: {type: Cookie, cookie: {name: bench}}'],
    most: undefined,
  },
  {
    name: 'external authorisation over HTTP',
    prefix: '/f8',
    rule: [
      'filters: [{type: ExternalAuth, externalAuth: {protocol: HTTP, backendRef: {name: backend, port: 80}, http: {path: /check, allowedHeaders: [Cookie], allowedResponseHeaders: [X-User]}}}]',
    ],
    most: undefined,
  },
]

/** What every row's request bears: CORS asks for the one, sessions for the other. @param cookie what the gateway gave */
export function filterFields(cookie: string): Readonly<Record<string, string>> {
  return { origin: 'https://app.example.com', cookie }
}
