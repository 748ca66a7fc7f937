/** Manifests for the tests of parse, and what parse says of them in a form that reads well. */
import { formatPath, parse } from '../../../src/api/parse.ts'
import type { ParseOptions } from '../../../src/api/parse.ts'
import type { Kind, ObjectOf } from '../../../src/api/object.ts'

export function manifest(apiVersion: string, kind: string, more: object = {}): object {
  return { apiVersion, kind, metadata: { name: 'object' }, ...more }
}

export function gatewayApi(kind: string, spec: object, version = 'v1'): object {
  return manifest(`gateway.networking.k8s.io/${version}`, kind, { spec })
}

/** The object, which must be valid and of this kind. */
export function parsed<K extends Kind>(kind: K, value: unknown, options?: ParseOptions): ObjectOf<K> {
  const result = parse(value, options)
  if (result.kind !== 'object') throw new Error(`Cannot parse: ${JSON.stringify(result)}`)
  if (result.object.kind !== kind) throw new Error(`Cannot use a ${result.object.kind} as ${kind}`)
  return result.object as ObjectOf<K>
}

/** `code at path` for each issue, errors and warnings alike. */
export function issues(value: unknown, options?: ParseOptions): string[] {
  const result = parse(value, options)
  return result.kind === 'unknown' ? ['unknown kind'] : result.issues.map(({ code, path }) => `${code} at ${formatPath(path)}`)
}
