/**
 * HTTPRoute and GRPCRoute, which differ in their matches: rules become configuration, parents get their conditions
 * (Gateway API v1, HTTPRouteSpec and GRPCRouteSpec).
 *
 * A rule that cannot be served as written is invalid: with others that are good the route is PartiallyInvalid, alone it is not
 * accepted. An invalid rule whose matches are understood stays in the configuration with a filter that fails, because
 * without it its requests would fall through to a rule that lacks, say, the authentication that this one asks for.
 */
import type { Finding } from '../api/finding.ts'
import type { GrpcRoute, HttpRoute } from '../api/route.ts'
import type { HttpRouteConfig } from '../config/route.ts'
import { findings } from './findings.ts'
import { keep } from './keep.ts'
import type { Reader } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import { PROXY_PROTOCOL } from './proxy-protocol.ts'
import { type ServedRule, translateRule } from './route-rule.ts'
import { judgeParents, type RouteResult } from './route.ts'
import { rankOf } from './tie-break.ts'

export function servedRouteOf(
  read: Reader,
  options: TranslateOptions,
  route: HttpRoute | GrpcRoute,
  kind: HttpRouteConfig['kind'],
  written: readonly ServedRule[],
  last: RouteResult | undefined,
): RouteResult {
  const key = `${route.kind}/${route.metadata.namespace}/${route.metadata.name}`
  const rules = written.map((rule, index) => translateRule({ read, options, route, speech: kind }, rule, index))
  const parents = judgeParents(read, options, route, {
    ruleCount: rules.length,
    invalidRules: rules.flatMap(({ invalid }) => (invalid === undefined ? [] : [invalid])),
    refProblems: rules.flatMap(({ refProblems }) => refProblems),
  })
  const configs = rules.flatMap(({ config }) => (config === undefined ? [] : [config]))
  const served = [...parents.attachments].flatMap(([gateway, attachments]) => {
    const serving = attachments.filter(({ listener }) => listener.serves)
    if (serving.length === 0) return []
    const config: HttpRouteConfig = {
      kind,
      key,
      attachments: serving.map(({ listener, hostnames }) => ({ listener: listener.key, hostnames })),
      rules: configs,
    }
    return [{ gateway, config: keep(last?.served.find((other) => other.gateway === gateway)?.config, config) }]
  })
  return {
    rank: rankOf(route),
    ...(parents.status === undefined ? {} : { status: keep(last?.status, parents.status) }),
    attached: [...parents.attachments.values()].flatMap((attachments) => attachments.map(({ listener }) => listener.key)),
    served,
    streams: [],
    pools: rules.flatMap(({ pools }) => pools),
    services: [...new Set(rules.flatMap(({ services }) => services))],
    targets: [...new Set(rules.flatMap(({ targets }) => targets))],
    parents: parents.gateways,
    findings: keep(last?.findings, [...parents.findings, ...unheededAnnotation(route), ...rules.flatMap(({ findings: found }) => found)]),
  }
}

/** Requests of many clients share a connection to a backend, and no header could be true for all of them (PROXY protocol, section 2). */
function unheededAnnotation({ kind, metadata }: HttpRoute | GrpcRoute): readonly Finding[] {
  if (metadata.annotations[PROXY_PROTOCOL] === undefined) return []
  const { namespace, name } = metadata
  return [findings.proxyProtocolUnheeded({ kind, namespace, name, path: ['metadata', 'annotations', PROXY_PROTOCOL] })]
}
