/** Filters of rules and backends (Gateway API v1, HTTPRouteFilter): what they do, or why their rule cannot be served. */
import type { HeaderFilter, HttpRouteFilter, PathModifier } from '../api/route.ts'
import type { FilterConfig, HeaderEdits, PathEdit } from '../config/filter.ts'

export type TranslatedFilter =
  | { readonly kind: 'served'; readonly filter: FilterConfig }
  /** A kind of filter that is not served: the rule is invalid. */
  | { readonly kind: 'unserved'; readonly problem: string; readonly filter: FilterConfig }
  /** A reference to a filter that nobody here knows: requests of the rule fail, it is never skipped (HTTPRouteFilter.type). */
  | { readonly kind: 'unresolved'; readonly problem: string; readonly filter: FilterConfig }

export function translateFilter(filter: HttpRouteFilter, at: 'rule' | 'backend'): TranslatedFilter {
  switch (filter.type) {
    case 'RequestHeaderModifier':
      return served({ kind: 'requestHeaders', ...edits(filter.requestHeaderModifier) })
    case 'ResponseHeaderModifier':
      return served({ kind: 'responseHeaders', ...edits(filter.responseHeaderModifier) })
    case 'URLRewrite': {
      const { hostname, path } = filter.urlRewrite
      return served({
        kind: 'rewrite',
        ...(hostname === undefined ? {} : { hostname }),
        ...(path === undefined ? {} : { path: pathEdit(path) }),
      })
    }
    case 'RequestRedirect': {
      const { scheme, hostname, path, port, statusCode } = filter.requestRedirect
      // A redirect answers before a backend is chosen.
      if (at === 'backend') return unserved(filter.type, 'the filter RequestRedirect is not served on a backendRef')
      if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
        return unserved(filter.type, `the redirect's scheme must be http or https, got ${scheme}`)
      if (!isRedirectStatus(statusCode))
        return unserved(filter.type, `the redirect's status code must be 301, 302, 303, 307 or 308, got ${statusCode}`)
      return served({
        kind: 'redirect',
        ...(scheme === undefined ? {} : { scheme }),
        ...(hostname === undefined ? {} : { hostname }),
        ...(port === undefined ? {} : { port }),
        ...(path === undefined ? {} : { path: pathEdit(path) }),
        status: statusCode,
      })
    }
    case 'RequestMirror':
    case 'CORS':
    case 'ExternalAuth':
      return unserved(filter.type, `the filter ${filter.type} is not served`)
    case 'ExtensionRef': {
      const { group, kind, name } = filter.extensionRef
      const problem = `The filter ${kind} ${name} (group ${group}) is not known.`
      return { kind: 'unresolved', problem, filter: { kind: 'fail', filter: filter.type, reason: 'InvalidKind', message: problem } }
    }
  }
}

function served(filter: FilterConfig): TranslatedFilter {
  return { kind: 'served', filter }
}

function unserved(type: string, problem: string): TranslatedFilter {
  return { kind: 'unserved', problem, filter: failFilter(type, problem) }
}

export function failFilter(filter: string, message: string): FilterConfig {
  return { kind: 'fail', filter, reason: 'UnsupportedValue', message }
}

function edits({ set, add, remove }: HeaderFilter): HeaderEdits {
  const plain = ({ name, value }: { readonly name: string; readonly value: string }) => ({ name, value })
  return { set: set.map(plain), add: add.map(plain), remove: remove.map((name) => name.toLowerCase()) }
}

function pathEdit(path: PathModifier): PathEdit {
  switch (path.type) {
    case 'ReplaceFullPath':
      return { kind: 'full', value: path.replaceFullPath }
    case 'ReplacePrefixMatch':
      return { kind: 'prefix', value: path.replacePrefixMatch }
  }
}

function isRedirectStatus(status: number): status is 301 | 302 | 303 | 307 | 308 {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}
