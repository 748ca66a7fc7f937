/** Collects from all files what gives objects their namespace and variables their values. */
import type { AssemblyOptions } from './assembly.ts'
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

export function readSurroundings(files: readonly SourceFile[], options: Pick<AssemblyOptions, 'namespace' | 'variables'>): Surroundings {
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
    sources: files.some((file) => file.hasVariables) ? variableSources(files) : [],
    namespace: options.namespace,
    variables: options.variables ?? {},
  }
}

const KIND_OF_DATA = /^kind:[ \t]*["']?(?:ConfigMap|Secret)\b/m

function variableSources(files: readonly SourceFile[]): VariableSource[] {
  const documents = files.flatMap((file) => file.documents).filter(({ role, text }) => role === 'object' && KIND_OF_DATA.test(text))
  return documents.flatMap(({ text }) => {
    const parsed = parseText(text)
    return parsed.kind === 'value' ? manifestsOf(parsed.value).map(sourceOf) : []
  })
}

function sourceOf(manifest: Manifest): VariableSource {
  const { kind, value } = manifest
  const plain = Object.entries(fieldsAt(value, kind === 'Secret' ? 'stringData' : 'data'))
  const encoded = kind === 'Secret' ? Object.entries(fieldsAt(value, 'data')) : []
  const data = [
    ...encoded.filter(isText).map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')] as const),
    ...plain.filter(isText),
  ]
  return { kind, name: nameOf(manifest), data: Object.fromEntries(data) }
}

function isText(entry: [string, unknown]): entry is [string, string] {
  return typeof entry[1] === 'string'
}
