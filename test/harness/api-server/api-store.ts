/**
 * The objects of a scripted API server with their versions and history, as an API server keeps them: one counter for
 * all, `generation` counts changes of what is neither metadata nor status, a write that changes nothing is none,
 * finalizers put off a deletion.
 */
import { isDeepStrictEqual } from 'node:util'
import type { KubeMetadata, KubeObject } from '../../../src/kube/kube-api.ts'
import { ApiProblem, notFound } from './api-problem.ts'
import { applyFields, mergePatch } from './merge-patch.ts'
import type { ServedResource } from './resources.ts'

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly resource: ServedResource
  readonly object: KubeObject
  readonly version: number
}

type Metadata = { -readonly [K in keyof KubeMetadata]: KubeMetadata[K] }

export class ApiStore {
  /** Called with every event, in order. */
  onEvent: (event: StoreEvent) => void = () => {}
  readonly #objects = new Map<string, Map<string, KubeObject>>()
  readonly #applied = new Map<string, unknown>()
  readonly #history: StoreEvent[] = []
  #version = 100
  /** Versions before this one are forgotten. */
  #oldest = 0

  get version(): number {
    return this.#version
  }

  list(resource: ServedResource, namespace = ''): readonly KubeObject[] {
    const all = [...(this.#objects.get(tableOf(resource))?.entries() ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
    return all.map(([, object]) => object).filter(({ metadata }) => namespace === '' || metadata.namespace === namespace)
  }

  find(resource: ServedResource, namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(tableOf(resource))?.get(`${namespace}/${name}`)
  }

  /** Events after a version; undefined when they are forgotten. */
  since(resource: ServedResource, version: number): readonly StoreEvent[] | undefined {
    if (version < this.#oldest) return undefined
    return this.#history.filter((event) => event.version > version && tableOf(event.resource) === tableOf(resource))
  }

  /** As etcd's compaction: no version but the present one can be watched from. */
  compact(): void {
    // A list whose version is the present one must be behind too.
    this.#version += 1
    this.#oldest = this.#version
    this.#history.length = 0
  }

  isForgotten(version: number): boolean {
    return version < this.#oldest
  }

  create(resource: ServedResource, given: KubeObject): KubeObject {
    const generated =
      (given.metadata.name === undefined || given.metadata.name === '') && typeof given.metadata['generateName'] === 'string'
    const name = generated ? `${String(given.metadata['generateName'])}${this.#version + 1}` : given.metadata.name
    const namespace = given.metadata.namespace ?? ''
    if (this.find(resource, namespace, name) !== undefined) {
      throw new ApiProblem(409, 'AlreadyExists', `${resource.plural} "${name}" already exists`)
    }
    const metadata: Metadata = {
      ...given.metadata,
      name,
      uid: `uid-${this.#version + 1}`,
      creationTimestamp: given.metadata.creationTimestamp ?? new Date(Date.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
      generation: 1,
    }
    return this.#write('ADDED', resource, { ...given, metadata })
  }

  /** `old` is what the caller changed; the metadata that the server keeps stays. */
  update(resource: ServedResource, old: KubeObject, given: KubeObject, part: 'object' | 'status' = 'object'): KubeObject {
    const wanted = given.metadata.resourceVersion
    if (wanted !== undefined && wanted !== old.metadata.resourceVersion) {
      throw new ApiProblem(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${resource.plural} "${old.metadata.name}": the object has been modified`,
      )
    }
    const fields =
      part === 'status'
        ? { ...old, status: given['status'] }
        : { ...given, ...(old['status'] === undefined ? {} : { status: old['status'] }) }
    const { uid, creationTimestamp, deletionTimestamp, resourceVersion, generation } = old.metadata
    const metadata: Metadata = {
      ...(part === 'status' ? old.metadata : given.metadata),
      ...(uid === undefined ? {} : { uid }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(generation === undefined ? {} : { generation }),
    }
    const next: KubeObject = { ...fields, metadata }
    if (isDeepStrictEqual(next, old)) return old
    if (deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0) return this.#write('DELETED', resource, next)
    const changed = !isDeepStrictEqual(contents(next), contents(old))
    return this.#write('MODIFIED', resource, { ...next, metadata: { ...metadata, generation: (generation ?? 1) + (changed ? 1 : 0) } })
  }

  patch(resource: ServedResource, old: KubeObject, patch: unknown, part: 'object' | 'status'): KubeObject {
    return this.update(resource, old, mergePatch(old, patch) as KubeObject, part)
  }

  apply(resource: ServedResource, namespace: string, name: string, manager: string, applied: KubeObject): KubeObject {
    const key = `${tableOf(resource)}/${namespace}/${name}/${manager}`
    const before = this.#applied.get(key)
    this.#applied.set(key, applied)
    const old = this.find(resource, namespace, name)
    if (old === undefined) return this.create(resource, withManager(applied, manager))
    return this.update(resource, old, withManager(applyFields(old, applied, before) as KubeObject, manager))
  }

  delete(
    resource: ServedResource,
    old: KubeObject,
    preconditions: { readonly uid?: string; readonly resourceVersion?: string } = {},
  ): void {
    const { uid, resourceVersion, finalizers = [], deletionTimestamp } = old.metadata
    const holds = (preconditions.uid ?? uid) === uid && (preconditions.resourceVersion ?? resourceVersion) === resourceVersion
    if (!holds) throw new ApiProblem(409, 'Conflict', `Precondition failed: ${resource.plural} "${old.metadata.name}" is another one now`)
    if (finalizers.length === 0) this.#write('DELETED', resource, old)
    else if (deletionTimestamp === undefined) {
      this.#write('MODIFIED', resource, { ...old, metadata: { ...old.metadata, deletionTimestamp: new Date(Date.now()).toISOString() } })
    }
  }

  /** Nothing of a kind is left, and nobody hears of it: its definition went away. */
  forget(resource: ServedResource): void {
    this.#objects.delete(tableOf(resource))
  }

  existing(resource: ServedResource, namespace: string, name: string): KubeObject {
    const found = this.find(resource, namespace, name)
    if (found === undefined) throw notFound(`${resource.plural} "${name}" not found`)
    return found
  }

  #write(type: StoreEvent['type'], resource: ServedResource, object: KubeObject): KubeObject {
    this.#version += 1
    const version = this.#version
    const stored: KubeObject = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
    const table = tableOf(resource)
    let objects = this.#objects.get(table)
    if (objects === undefined) this.#objects.set(table, (objects = new Map()))
    const key = `${stored.metadata.namespace ?? ''}/${stored.metadata.name}`
    if (type === 'DELETED') objects.delete(key)
    else objects.set(key, stored)
    const event: StoreEvent = { type, resource, object: stored, version }
    this.#history.push(event)
    this.onEvent(event)
    return stored
  }
}

export function tableOf({ group, plural }: ServedResource): string {
  return `${group}/${plural}`
}

/** What a change of the generation is about. */
function contents({ metadata: _metadata, status: _status, ...rest }: KubeObject): unknown {
  return rest
}

function withManager(object: KubeObject, manager: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, managedFields: [{ manager, operation: 'Apply', fieldsV1: {} }] } }
}
