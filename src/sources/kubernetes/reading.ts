/** One object of the API server, read: what it means, what there is to say about it, and what writers must know. */
import type { Issue } from '../../api/issue.ts'
import type { ObjectRef } from '../../api/meta.ts'
import type { ApiObject } from '../../api/object.ts'
import type { GatewayParameters } from '../../api/parameters.ts'
import { parse } from '../../api/parse.ts'
import type { KubeObject } from '../../kube/kube-api.ts'
import { deepEqual } from '../deep-equal.ts'
import type { LocatedFinding } from '../source.ts'
import { type Contents, contentsOf, meantBy } from './contents.ts'
import { type StoredObject, storedOf } from './stored-object.ts'

export interface Reading {
  readonly stored: StoredObject
  /**
   * The last valid version, the same object as long as its meaning is the same; undefined where there was none. Of GatewayParameters the
   * present one, valid or not: their meaning is in the status of what refers to them.
   */
  readonly object: ApiObject | undefined
  readonly findings: readonly LocatedFinding[]
  readonly contents: Contents
}

export interface ReadOptions {
  /** The API server counts changes of all that is neither metadata nor status, so that an equal generation needs no look. */
  readonly hasGeneration: boolean
  /** The warnings are worth saying, not only the errors. */
  readonly warns: boolean
}

/** `previous`: of an object of the same name. */
export function read(raw: KubeObject, previous: Reading | undefined, options: ReadOptions): Reading {
  const stored = storedOf(raw)
  const contents = contentsOf(raw)
  const isSameObject = previous !== undefined && previous.stored.metadata.uid === raw.metadata.uid
  if (!isSameObject) return parsed(raw, undefined, stored, contents, options)
  const isUnchanged =
    options.hasGeneration &&
    stored.generation > 0 &&
    stored.apiVersion === previous.stored.apiVersion &&
    deepEqual(previous.contents, contents)
  if (isUnchanged) return { ...previous, stored }
  return parsed(raw, previous.object, stored, contents, options)
}

function parsed(raw: KubeObject, old: ApiObject | undefined, stored: StoredObject, contents: Contents, { warns }: ReadOptions): Reading {
  const result = parse(meantBy(raw), old === undefined ? {} : { old })
  const ref: ObjectRef = { kind: raw.kind, namespace: raw.metadata.namespace ?? '', name: raw.metadata.name }
  const issues = result.kind === 'unknown' ? [] : result.issues
  const invalid = result.kind === 'invalid' && raw.kind === 'GatewayParameters' ? invalidParameters(raw, issues) : undefined
  const kept = old === undefined || invalid !== undefined ? '' : '; its last valid version stays in use'
  const findings = issues
    .filter(({ severity }) => severity === 'error' || warns)
    .map(({ severity, code, path, message }): LocatedFinding => {
      return { code, severity, object: ref, path, message: severity === 'error' ? message + kept : message }
    })
  const now = result.kind === 'object' ? result.object : invalid
  const object = now === undefined || (old !== undefined && deepEqual(old, now)) ? old : now
  return { stored, object, findings, contents }
}

function invalidParameters({ metadata }: KubeObject, issues: readonly Issue[]): GatewayParameters {
  const { name, namespace = '', generation = 1, labels = {}, annotations = {} } = metadata
  const wrong = issues.filter(({ severity }) => severity === 'error').map(({ message }) => message.replace(/^Cannot [^:]*: /, ''))
  return {
    apiVersion: 'gatewright.dev/v1alpha1',
    kind: 'GatewayParameters',
    metadata: { name, namespace, generation, labels, annotations },
    spec: {},
    invalid: wrong.join('; '),
  }
}
