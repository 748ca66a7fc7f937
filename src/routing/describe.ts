/** Matches in words, for explanations and findings. */
import type { HttpMatchConfig, PathMatchConfig, ValueMatchConfig } from '../config/route.ts'

/** `GET, path prefix /cart, header env = canary, query x = 1` */
export function describeMatch(match: HttpMatchConfig): string {
  return [
    ...(match.grpc === undefined ? [] : ['gRPC']),
    ...(match.method === undefined ? [] : [match.method]),
    describePath(match.path),
    ...match.headers.map((header) => `header ${describeValue(header)}`),
    ...match.query.map((parameter) => `query ${describeValue(parameter)}`),
  ].join(', ')
}

export function describePath(path: PathMatchConfig): string {
  const kinds = { exact: 'path', prefix: 'path prefix', regex: 'path matching' } as const
  return `${kinds[path.kind]} ${path.value}`
}

/** `env = canary`, or `env ~ can.*` for a regular expression. */
export function describeValue(match: ValueMatchConfig): string {
  return `${match.name} ${match.kind === 'exact' ? '=' : '~'} ${match.value}`
}

/** `any host` for `''`. */
export function describeHostname(hostname: string): string {
  return hostname === '' ? 'any host' : hostname
}
