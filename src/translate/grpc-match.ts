/** What a GRPCRoute's match asks for: a service and a method are the two elements of the path of a gRPC request (Gateway API v1, GRPCMethodMatch). */
import { RE2JS } from 're2js'
import type { GrpcRouteMatch } from '../api/route.ts'
import type { HttpMatchConfig, PathMatchConfig } from '../config/route.ts'
import { headerConfigs, regexProblem } from './http-match.ts'

/** Without `method` all services and methods (GRPCRouteMatch.method). */
export function grpcMatchConfig({ method, headers }: GrpcRouteMatch): HttpMatchConfig {
  const exact = method?.type === 'Exact'
  return {
    path: pathOf(method),
    headers: headerConfigs(headers),
    query: [],
    grpc: { service: exact ? (method.service ?? '').length : 0, method: exact ? (method.method ?? '').length : 0 },
  }
}

/** Why a match cannot be served; undefined when it can. */
export function grpcMatchProblem({ method, headers }: GrpcRouteMatch): string | undefined {
  const ofMethod = method?.type === 'RegularExpression' ? [method.service ?? '', method.method ?? ''] : []
  const ofHeaders = headers.filter(({ type }) => type === 'RegularExpression').map(({ value }) => value)
  return [...ofMethod, ...ofHeaders].map(regexProblem).find((problem) => problem !== undefined)
}

const ANY_ELEMENT = '[^/]+'

/** "If left empty or omitted, will match any": an empty text says nothing. */
function pathOf(match: GrpcRouteMatch['method']): PathMatchConfig {
  const { type = 'Exact', service = '', method = '' } = match ?? {}
  if (service === '' && method === '') return { kind: 'prefix', value: '/' }
  switch (type) {
    case 'Exact':
      if (service === '') return { kind: 'regex', value: `/${ANY_ELEMENT}/${RE2JS.quote(method)}` }
      return method === '' ? { kind: 'prefix', value: `/${service}` } : { kind: 'exact', value: `/${service}/${method}` }
    case 'RegularExpression':
      return { kind: 'regex', value: `/${elementOf(service)}/${elementOf(method)}` }
  }
}

function elementOf(pattern: string): string {
  return pattern === '' ? ANY_ELEMENT : `(?:${pattern})`
}
