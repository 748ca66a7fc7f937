/** Collects from all files what gives objects their namespace and variables their values. */
import type { AssemblyOptions } from './assembly.ts'
import type { FileReading } from './file-reading.ts'
import { readFluxKustomization } from './flux.ts'
import type { FluxKustomization } from './flux.ts'
import { isKustomizeManifest, readKustomization } from './kustomize.ts'
import type { Kustomization } from './kustomize.ts'
import { fieldsAt, groupOf, manifestsOf, nameOf } from './manifest.ts'
import type { Manifest } from './manifest.ts'
import type { Surroundings, VariableSource } from './scope.ts'
import { holdsData, isKustomization } from './source-file.ts'
import type { SourceFile } from './source-file.ts'
import { parseText } from './yaml-value.ts'

type LastReading = (path: string) => FileReading | undefined

export class SurroundingsReader {
  readonly #options: Pick<AssemblyOptions, 'namespace' | 'variables'>
  /** The files that the last surroundings came from. */
  #files: readonly SourceFile[] = []
  #last: Surroundings | undefined

  constructor(options: Pick<AssemblyOptions, 'namespace' | 'variables'>) {
    this.#options = options
  }

  /** The same as before when no file that says something changed. `lastOf` gives the last reading of a file by its path. */
  read(files: readonly SourceFile[], lastOf: LastReading): Surroundings {
    const speaking = files.filter(({ context, hasData }) => hasData || context.length > 0)
    const isSame = speaking.length === this.#files.length && speaking.every((file, index) => file === this.#files[index])
    if (this.#last && isSame) return this.#last
    this.#files = speaking
    this.#last = {
      ...kustomizationsOf(speaking),
      sources: variableSources(speaking, lastOf),
      namespace: this.#options.namespace,
      variables: this.#options.variables ?? {},
    }
    return this.#last
  }
}

function kustomizationsOf(files: readonly SourceFile[]): Pick<Surroundings, 'kustomizations' | 'fluxes'> {
  const kustomizations: Kustomization[] = []
  const fluxes: FluxKustomization[] = []
  for (const file of files) {
    for (const manifest of file.context) {
      if (manifest.kind === 'Kustomization' && groupOf(manifest.apiVersion) === 'kustomize.toolkit.fluxcd.io')
        fluxes.push(readFluxKustomization(manifest))
      else if (isKustomization(file.name) && isKustomizeManifest(manifest)) kustomizations.push(readKustomization(file, manifest))
    }
  }
  return { kustomizations, fluxes }
}

function variableSources(files: readonly SourceFile[], lastOf: LastReading): VariableSource[] {
  return files.flatMap((file) => {
    const parsed = file.documents.filter(holdsData).map(({ text }) => parseText(text))
    const sources = parsed.flatMap((value) => (value.kind === 'value' ? manifestsOf(value.value).map(sourceOf) : []))
    // As long as a document is broken, the values that its file gave last still hold.
    return parsed.some(({ kind }) => kind === 'broken') ? [...sources, ...lastSources(lastOf(file.path))] : sources
  })
}

function lastSources(reading: FileReading | undefined): VariableSource[] {
  return (reading?.entries ?? []).flatMap(({ object }) => {
    if (object.kind !== 'ConfigMap' && object.kind !== 'Secret') return []
    const data = object.kind === 'Secret' ? decoded(object.data) : object.data
    return { kind: object.kind, name: object.metadata.name, data }
  })
}

function decoded(data: Readonly<Record<string, unknown>>): Record<string, string> {
  const encoded = Object.entries(texts(data))
  return Object.fromEntries(encoded.map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')]))
}

function sourceOf(manifest: Manifest): VariableSource {
  const { kind, value } = manifest
  const name = nameOf(manifest)
  if (kind !== 'Secret') return { kind, name, data: texts(fieldsAt(value, 'data')) }
  return { kind, name, data: { ...decoded(fieldsAt(value, 'data')), ...texts(fieldsAt(value, 'stringData')) } }
}

function texts(data: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).filter(isText))
}

function isText(entry: [string, unknown]): entry is [string, string] {
  return typeof entry[1] === 'string'
}
