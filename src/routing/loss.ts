/** Why a match did not get a request: as data, and as the sentence that a person reads. */
import type { ListenerKey } from '../config/listener.ts'
import type { PathMatchConfig, ValueMatchConfig } from '../config/route.ts'
import { describeHostname, describePath, describeValue } from './describe.ts'
import type { PrecedenceStep } from './precedence.ts'

export type LossReason =
  | { readonly kind: 'path'; readonly wanted: PathMatchConfig; readonly got: string }
  | { readonly kind: 'method'; readonly wanted: string; readonly got: string }
  /** It is a GRPCRoute's, and `got` is the content type of something else; without `got` the request has none. */
  | { readonly kind: 'grpc'; readonly got?: string }
  /** Without `got` the request has no such header or parameter. */
  | { readonly kind: 'header' | 'query'; readonly wanted: ValueMatchConfig; readonly got?: string }
  /** The match can never be satisfied: its path would be refused, its regular expression cannot be read. */
  | { readonly kind: 'unusable'; readonly problem: string }
  /** It is satisfied, and another match stands before it. For 'hostname' the values are the routes' hostnames. */
  | {
      readonly kind: 'precedence'
      readonly step: 'hostname' | PrecedenceStep
      readonly winning: number | string
      readonly losing: number | string
      readonly by: { readonly route: string; readonly rule: string }
    }
  /** Its listener does not serve the host. */
  | { readonly kind: 'listener-host'; readonly listener: ListenerKey; readonly hostname: string; readonly host: string }
  /** Its listener covers the host, and another listener of the port does so more specifically. */
  | {
      readonly kind: 'listener-isolation'
      readonly listener: ListenerKey
      readonly hostname: string
      readonly by: { readonly listener: ListenerKey; readonly hostname: string }
    }

/** Says what would have to be different. */
export function lossText(reason: LossReason): string {
  switch (reason.kind) {
    case 'path':
      return `wants ${describePath(reason.wanted)}, the request has ${reason.got}`
    case 'method':
      return `wants method ${reason.wanted}, the request has ${reason.got}`
    case 'grpc':
      return `wants a gRPC request (content-type application/grpc), the request has ${reason.got === undefined ? 'no content type' : `"${reason.got}"`}`
    case 'header':
    case 'query': {
      const what = reason.kind === 'header' ? 'header' : 'query parameter'
      return `wants ${what} ${describeValue(reason.wanted)}, the request has ${reason.got === undefined ? 'none' : `"${reason.got}"`}`
    }
    case 'unusable':
      return `never matches: ${reason.problem}`
    case 'precedence':
      return `matches too, but ${reason.by.rule} ${precedenceText(reason.step, reason.winning, reason.losing)}`
    case 'listener-host':
    case 'listener-isolation':
      return `is out of reach: ${missText(reason)}`
  }
}

/** The same about a whole listener. */
export function missText(reason: Extract<LossReason, { kind: 'listener-host' | 'listener-isolation' }>): string {
  switch (reason.kind) {
    case 'listener-host':
      return `listener ${reason.listener} serves ${describeHostname(reason.hostname)}, not ${reason.host === '' ? 'a request without Host' : reason.host}`
    case 'listener-isolation':
      return `listener ${reason.listener} serves ${describeHostname(reason.hostname)}, and ${reason.by.listener} for ${describeHostname(reason.by.hostname)} is more specific`
  }
}

function precedenceText(step: 'hostname' | PrecedenceStep, winning: number | string, losing: number | string): string {
  switch (step) {
    case 'hostname':
      return `is for ${describeHostname(String(winning))}, which is more specific than ${describeHostname(String(losing))}`
    case 'grpc':
      return 'is of a GRPCRoute, which gRPC requests are for first'
    case 'service':
      return winning === 0 || losing === 0 ? 'names the service' : 'names the longer service'
    case 'serviceMethod':
      return 'names the method of the service'
    case 'pathKind':
      return winning === 2 ? 'has an exact path' : 'has a regular expression for the path, which goes before prefixes'
    case 'prefixLength':
      return 'has the longer path prefix'
    case 'method':
      return 'also asks for a method'
    case 'headers':
      return `asks for more headers (${winning} to ${losing})`
    case 'query':
      return `asks for more query parameters (${winning} to ${losing})`
    case 'routeOrder':
      return 'is of the older route, or of the one first by namespace/name'
    case 'ruleOrder':
      return 'is listed first in the route'
  }
}
