/** Objects as the API server has them, as far as writers must know: a watch keeps this up to date. */

export interface StoredObject {
  readonly resourceVersion: string
  readonly generation: number
  /** As it stands there, whoever wrote it. */
  readonly status: Readonly<Record<string, unknown>> | undefined
}

export interface StoredObjects {
  get(kind: string, namespace: string, name: string): StoredObject | undefined
  /** Of the kinds that are watched. */
  all(kind: string): Iterable<{ readonly namespace: string; readonly name: string; readonly stored: StoredObject }>
}

/** What shall stand in the status of an object; times are the writer's. */
export interface WantedStatus {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly status: object
}
