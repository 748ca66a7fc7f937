/** A request to the scripted API server, understood. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { KubeObject } from '../../../src/kube/kube-api.ts'
import type { ServedResource } from './resources.ts'

export interface ApiRequest {
  readonly verb: 'discover' | 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'apply' | 'delete'
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** undefined: nothing that is served. */
  readonly resource: ServedResource | undefined
  readonly namespace: string
  readonly name: string
  readonly part: 'object' | 'status'
  readonly body: string
  /** The body. */
  readonly object: () => KubeObject
  readonly isMetadataOnly: boolean
  /** By the label selector and the field selector of the query. */
  readonly selects: (object: KubeObject) => boolean
}

export function parseRequest(message: IncomingMessage, body: string, resources: readonly ServedResource[]): ApiRequest {
  const { pathname, searchParams } = new URL(message.url ?? '/', 'http://api')
  const steps = pathname.split('/').slice(1)
  const ofCore = steps[0] === 'api'
  const [group, version, ...rest] = ofCore ? ['', steps[1], ...steps.slice(2)] : [steps[1], steps[2], ...steps.slice(3)]
  const isNamespaced = rest[0] === 'namespaces' && rest.length > 2
  const [plural, name = '', subresource = ''] = isNamespaced ? rest.slice(2) : rest
  const resource = resources.find((one) => one.group === group && one.version === version && one.plural === plural)
  const isWatch = searchParams.get('watch') === 'true' || searchParams.get('watch') === '1'
  return {
    verb: plural === undefined ? 'discover' : verbOf(message, name, isWatch),
    path: pathname,
    query: searchParams,
    headers: message.headers,
    resource,
    namespace: isNamespaced ? (rest[1] ?? '') : '',
    name,
    part: subresource === 'status' ? 'status' : 'object',
    body,
    object: () => JSON.parse(body) as KubeObject,
    isMetadataOnly: String(message.headers.accept).includes('as=PartialObjectMetadata'),
    selects: selector(searchParams),
  }
}

function verbOf({ method, headers }: IncomingMessage, name: string, isWatch: boolean): ApiRequest['verb'] {
  switch (method ?? 'GET') {
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'DELETE':
      return 'delete'
    case 'PATCH':
      return headers['content-type'] === 'application/apply-patch+yaml' ? 'apply' : 'patch'
    default:
      return isWatch ? 'watch' : name === '' ? 'list' : 'get'
  }
}

/** `key=value` and `key`, and the field `metadata.name`. */
function selector(query: URLSearchParams): (object: KubeObject) => boolean {
  const labels = (query.get('labelSelector') ?? '').split(',').filter((one) => one !== '')
  const name = /^metadata\.name=(.*)$/.exec(query.get('fieldSelector') ?? '')?.[1]
  return ({ metadata }) =>
    (name === undefined || metadata.name === name) &&
    labels.every((one) => {
      const [key = '', value] = one.split('=')
      const has = metadata.labels?.[key]
      return value === undefined ? has !== undefined : has === value
    })
}
