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
import { isKustomization } from './source-file.ts'
import type { SourceFile } from './source-file.ts'
import { parseText } from './yaml-value.ts'

/** `before` holds the last reading of each file, by its path. */
export function readSurroundings(
  files: readonly SourceFile[],
  before: ReadonlyMap<string, FileReading>,
  options: Pick<AssemblyOptions, 'namespace' | 'variables'>,
): Surroundings {
  const kustomizations: Kustomization[] = []
  const fluxes: FluxKustomization[] = []
  for (const file of files) {
    for (const manifest of file.context) {
      if (manifest.kind === 'Kustomization' && groupOf(manifest.apiVersion) === 'kustomize.toolkit.fluxcd.io')
        fluxes.push(readFluxKustomization(manifest))
      else if (isKustomization(file.name) && isKustomizeManifest(manifest)) kustomizations.push(readKustomization(file, manifest))
    }
  }
  return {
    kustomizations,
    fluxes,
    sources: files.some((file) => file.hasVariables) ? variableSources(files, before) : [],
    namespace: options.namespace,
    variables: options.variables ?? {},
  }
}

const KIND_OF_DATA = /^kind:[ \t]*["']?(?:ConfigMap|Secret)\b/m

function variableSources(files: readonly SourceFile[], before: ReadonlyMap<string, FileReading>): VariableSource[] {
  return files.flatMap((file) => {
    const documents = file.documents.filter(({ role, text }) => role === 'object' && KIND_OF_DATA.test(text))
    const parsed = documents.map(({ text }) => parseText(text))
    const sources = parsed.flatMap((value) => (value.kind === 'value' ? manifestsOf(value.value).map(sourceOf) : []))
    // As long as a document is broken, the values that its file gave last still hold.
    return parsed.some(({ kind }) => kind === 'broken') ? [...sources, ...lastSources(before.get(file.path))] : sources
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
