/** Filters of rules and of backends, in the order in which they apply. Text is plain Unicode here; routing makes byte strings of it when it compiles. */

export type FilterConfig =
  | ({ readonly kind: 'requestHeaders' } & HeaderEdits)
  | ({ readonly kind: 'responseHeaders' } & HeaderEdits)
  | {
      readonly kind: 'redirect'
      readonly scheme?: 'http' | 'https'
      readonly hostname?: string
      readonly port?: number
      readonly path?: PathEdit
      readonly status: 301 | 302 | 303 | 307 | 308
    }
  | { readonly kind: 'rewrite'; readonly hostname?: string; readonly path?: PathEdit }
  /** A filter that cannot be served: requests get a 500, it is never skipped. */
  | { readonly kind: 'fail'; readonly filter: string; readonly reason: string; readonly message: string }

export interface HeaderEdits {
  readonly set: readonly HeaderEdit[]
  readonly add: readonly HeaderEdit[]
  /** Lower case. */
  readonly remove: readonly string[]
}

export interface HeaderEdit {
  /** As spelled in the specification. */
  readonly name: string
  readonly value: string
}

export type PathEdit = { readonly kind: 'full'; readonly value: string } | { readonly kind: 'prefix'; readonly value: string }
