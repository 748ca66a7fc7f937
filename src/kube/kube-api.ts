/**
 * kube: what the API server is to the rest of the program.
 *
 * `KubeApi` is all that writers need: one object at a time, as the API server sends it. Listing and watching are for
 * the source of objects alone. Paths, credentials, retries and time-outs stay in here; nothing here knows what an
 * object means. Errors are `KubeError`s. Called by sources, status, infra and the controller's composition.
 */
export interface Resource {
  /** '' for the core group. */
  readonly group: string
  readonly version: string
  /** As it stands in paths: `httproutes`. */
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
}

export interface ObjectName {
  /** '' for cluster-scoped objects. */
  readonly namespace: string
  readonly name: string
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

export interface KubeMetadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
  /** RFC 3339. */
  readonly creationTimestamp?: string
  /** RFC 3339. */
  readonly deletionTimestamp?: string
  readonly [field: string]: unknown
}

export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: KubeMetadata
  readonly [field: string]: unknown
}

export interface KubeApi {
  /** undefined: there is none (404). */
  get(resource: Resource, name: ObjectName): Promise<KubeObject | undefined>
  create(resource: Resource, object: KubeObject): Promise<KubeObject>
  /** Replaces the whole object; KubeError 409 when metadata.resourceVersion is stale. */
  replace(resource: Resource, object: KubeObject): Promise<KubeObject>
  /**
   * Server-side apply, forced, as field manager `gatewright`. As another `manager` it is not forced: KubeError 409 where
   * others have another value.
   */
  apply(resource: Resource, object: KubeObject, manager?: string): Promise<KubeObject>
  /** JSON merge patch of the object or its status; with metadata.resourceVersion in the patch a stale one is a 409. */
  patch(resource: Resource, name: ObjectName, patch: object, subresource?: 'status'): Promise<KubeObject>
  /** An object that is not there (404) is no error. */
  delete(resource: Resource, name: ObjectName, options?: { readonly uid?: string; readonly resourceVersion?: string }): Promise<void>
}
