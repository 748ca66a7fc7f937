/** What every Kubernetes object carries, as far as this project reads it. Objects are immutable once parsed. */

export interface TypeMeta {
  readonly apiVersion: string
  readonly kind: string
}

export interface ObjectMeta {
  readonly name: string
  /** '' for cluster-scoped objects, never undefined. */
  readonly namespace: string
  /** 1 where the source gives none (a file). */
  readonly generation: number
  /** RFC 3339; absent in files, such objects count as equally old. */
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
}

/** A condition of `.status`; `lastTransitionTime` is the writer's business and is absent in what translate makes. */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  readonly observedGeneration: number
  readonly lastTransitionTime?: string
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly LabelSelectorRequirement[]
}

export interface LabelSelectorRequirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values?: readonly string[]
}

/** Identifies an object in messages, indexes and findings. */
export interface ObjectRef {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}
