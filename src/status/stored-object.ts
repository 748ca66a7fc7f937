/** Objects as the API server has them, as far as writers must know: a watch keeps this up to date. */

export interface StoredObject {
  readonly resourceVersion: string
  readonly generation: number
  /** As it stands there, whoever wrote it. */
  readonly status: Readonly<Record<string, unknown>> | undefined
}

export interface StoredObjects {
  /** @param path `namespace/name`: whoever asks again and again keeps it, since a text that was looked up before is found faster */
  at(kind: string, path: string): StoredObject | undefined
  /** What has changed since the last call, by kind, as `namespace/name`; undefined: anything may have. */
  changes(): ReadonlyMap<string, ReadonlySet<string>> | undefined
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
