/** A pod's volumes as folders: what its objects hold now, brought up to date when they change. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DataObject, ObjectProjection, Pod, Volume, VolumeSource } from '../objects.ts'
import type { NamespaceData } from './environment.ts'
import { fieldOf } from './fields.ts'
import { writeProjection } from './projection.ts'
import type { ProjectedFile } from './projection.ts'

/** A token for the pod, from the API server. */
export interface Token {
  readonly value: string
  /** Milliseconds since 1970; after that a new one is asked for. */
  readonly renewAt: number
}

export type TokenRequest = (audience: string | undefined, expirationSeconds: number) => Promise<Token>

const DEFAULT_MODE = 0o644

export class Volumes {
  readonly #folder: string
  readonly #address: string
  readonly #data: NamespaceData
  readonly #requestToken: TokenRequest
  readonly #tokens = new Map<string, Token>()
  /** By volume, what was written last. */
  readonly #written = new Map<string, string>()

  constructor(folder: string, address: string, data: NamespaceData, requestToken: TokenRequest) {
    this.#folder = folder
    this.#address = address
    this.#data = data
    this.#requestToken = requestToken
  }

  folderOf(volume: string): string {
    return join(this.#folder, volume)
  }

  /** Writes what differs from what is there. Throws, with what is missing, when a volume cannot be filled. */
  async bringUpToDate(pod: Pod): Promise<void> {
    for (const volume of pod.spec.volumes ?? []) {
      if (volume.emptyDir !== undefined) this.#makeEmpty(volume, pod.spec.securityContext?.fsGroup)
      else await this.#project(volume, pod)
    }
  }

  #makeEmpty(volume: Volume, group: number | undefined): void {
    if (this.#written.has(volume.name)) return
    const folder = this.folderOf(volume.name)
    mkdirSync(folder, { recursive: true })
    if (group !== undefined) chownSync(folder, 0, group)
    chmodSync(folder, 0o777)
    this.#written.set(volume.name, '')
  }

  async #project(volume: Volume, pod: Pod): Promise<void> {
    const { sources, mode } = sourcesOf(volume)
    const files = new Map<string, ProjectedFile>()
    for (const source of sources) for (const [path, file] of await this.#filesOf(source, pod, mode)) files.set(path, file)
    const now = JSON.stringify([...files].map(([path, { content, mode: bits }]) => [path, content.toString('base64'), bits]))
    if (this.#written.get(volume.name) === now) return
    mkdirSync(this.folderOf(volume.name), { recursive: true })
    writeProjection(this.folderOf(volume.name), files, pod.spec.securityContext?.fsGroup)
    this.#written.set(volume.name, now)
  }

  async #filesOf(source: VolumeSource, pod: Pod, mode: number): Promise<readonly (readonly [string, ProjectedFile])[]> {
    if (source.secret !== undefined) {
      const name = source.secret.secretName ?? source.secret.name ?? ''
      return itemsOf(source.secret, this.#data.secret(name), `secret "${name}"`, 'base64', mode)
    }
    if (source.configMap !== undefined) {
      const name = source.configMap.name ?? ''
      return itemsOf(source.configMap, this.#data.configMap(name), `configmap "${name}"`, 'utf8', mode)
    }
    if (source.downwardAPI !== undefined) {
      return (source.downwardAPI.items ?? []).map(({ path, fieldRef }) => {
        if (fieldRef === undefined) throw new Error('resourceFieldRef in a volume is not supported')
        return [path, { content: Buffer.from(fieldOf(pod, this.#address, fieldRef.fieldPath)), mode }]
      })
    }
    if (source.serviceAccountToken !== undefined) {
      const { path, audience, expirationSeconds = 3600 } = source.serviceAccountToken
      return [[path, { content: Buffer.from(await this.#token(audience, expirationSeconds)), mode }]]
    }
    throw new Error(`a volume of ${Object.keys(source).join(', ')} is not supported`)
  }

  async #token(audience: string | undefined, expirationSeconds: number): Promise<string> {
    const key = `${audience ?? ''} ${expirationSeconds}`
    const known = this.#tokens.get(key)
    if (known !== undefined && Date.now() < known.renewAt) return known.value
    const token = await this.#requestToken(audience, expirationSeconds)
    this.#tokens.set(key, token)
    return token.value
  }
}

function sourcesOf(volume: Volume): { readonly sources: readonly VolumeSource[]; readonly mode: number } {
  const { name, projected, secret, configMap, downwardAPI, ...others } = volume
  if (projected !== undefined) return { sources: projected.sources ?? [], mode: projected.defaultMode ?? DEFAULT_MODE }
  if (secret !== undefined) return { sources: [{ secret }], mode: secret.defaultMode ?? DEFAULT_MODE }
  if (configMap !== undefined) return { sources: [{ configMap }], mode: configMap.defaultMode ?? DEFAULT_MODE }
  if (downwardAPI !== undefined) return { sources: [{ downwardAPI }], mode: downwardAPI.defaultMode ?? DEFAULT_MODE }
  throw new Error(`volume ${name} of ${Object.keys(others).join(', ')} is not supported`)
}

function itemsOf(
  projection: ObjectProjection,
  object: DataObject | undefined,
  what: string,
  encoding: 'base64' | 'utf8',
  mode: number,
): readonly (readonly [string, ProjectedFile])[] {
  if (object === undefined) {
    if (projection.optional === true) return []
    throw new Error(`${what} not found`)
  }
  const values = new Map([
    ...Object.entries(object.data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)] as const),
    ...Object.entries(object.binaryData ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const),
  ])
  const items = projection.items ?? [...values.keys()].map((key) => ({ key, path: key }))
  return items.flatMap((item) => {
    const content = values.get(item.key)
    if (content !== undefined) return [[item.path, { content, mode: ('mode' in item ? item.mode : undefined) ?? mode }] as const]
    if (projection.optional === true) return []
    throw new Error(`${what} has no key ${item.key}`)
  })
}
