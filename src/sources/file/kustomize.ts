/** What a `kustomization.yaml` says about the files beside and below it. */
import { dirname, resolve } from 'node:path'
import type { LocatedFinding } from '../source.ts'
import type { Fields, Manifest } from './manifest.ts'
import { isFields, listAt, textAt } from './manifest.ts'
import type { SourceFile } from './source-file.ts'

export interface Kustomization {
  readonly file: SourceFile
  readonly namespace?: string
  /** Fields that would change objects in a way that is not done here, e.g. `patches`. */
  readonly changes: readonly string[]
  /** Absolute paths of files that are no manifests but pieces of them. */
  readonly pieces: readonly string[]
}

const CHANGING =
  'namePrefix nameSuffix labels commonLabels commonAnnotations images replicas patches patchesStrategicMerge patchesJson6902 replacements vars components transformers configMapGenerator secretGenerator generators helmCharts'.split(
    ' ',
  )

export function readKustomization(file: SourceFile, manifest: Manifest): Kustomization {
  const { value } = manifest
  const namespace = textAt(value, 'namespace')
  return {
    file,
    ...(namespace !== undefined && { namespace }),
    changes: CHANGING.filter((field) => !isEmpty(value[field])),
    pieces: piecesOf(value).map((path) => resolve(file.folder, path)),
  }
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

function piecesOf(value: Fields): string[] {
  const pathed = ['patches', 'patchesJson6902', 'replacements'].flatMap((field) => listAt(value, field)).map((item) => textAt(item, 'path'))
  const named = ['patchesStrategicMerge', 'transformers', 'generators', 'configurations', 'crds'].flatMap((field) => listAt(value, field))
  const values = listAt(value, 'helmCharts').map((chart) => textAt(chart, 'valuesFile'))
  const files = ['configMapGenerator', 'secretGenerator'].flatMap((field) =>
    listAt(value, field).flatMap((generator) =>
      listAt(generator, 'files').map((file) => (typeof file === 'string' ? file.replace(/^[^=]*=/, '') : undefined)),
    ),
  )
  // A patch may also stand in the list itself, as text of many lines.
  return [...pathed, ...named, ...values, ...files].filter((path) => typeof path === 'string').filter((path) => !path.includes('\n'))
}

/** Real paths of files that other files pull in as patches and the like; a partial HTTPRoute among them is no object. */
export function piecesOfAll(kustomizations: readonly Kustomization[], files: readonly SourceFile[]): ReadonlySet<string> {
  const pieces = new Set(kustomizations.flatMap((kustomization) => kustomization.pieces))
  if (pieces.size === 0) return pieces
  return new Set(files.filter(({ absolute }) => pieces.has(absolute)).map(({ real }) => real))
}

/** One note for each kustomization: what it would still change before a cluster gets the objects. */
export function kustomizeFindings(kustomizations: readonly Kustomization[]): LocatedFinding[] {
  return kustomizations
    .filter(({ changes }) => changes.length > 0)
    .map(({ file, changes }) => ({
      code: 'kustomize-not-applied',
      severity: 'note',
      message: `${file.path} would also change objects by ${changes.join(', ')}; the files are read as they stand`,
      fix: { text: `kustomize build ${dirname(file.path)} | gatewright run -` },
      cause: `kustomize:${file.path}`,
      at: { file: file.path, line: 1, column: 1 },
    }))
}

export function isKustomizeManifest(manifest: Manifest): boolean {
  return manifest.apiVersion.startsWith('kustomize.config.k8s.io/') && isFields(manifest.value)
}
