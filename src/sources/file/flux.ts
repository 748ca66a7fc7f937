/** What a Flux `Kustomization` says about the folder that its path names: a namespace, and values of variables. */
import type { Manifest } from './manifest.ts'
import { fieldsAt, listAt, ownNamespaceOf, nameOf, textAt } from './manifest.ts'

export interface FluxKustomization {
  readonly name: string
  readonly namespace: string
  /** Elements of `spec.path`, from the root of the repository. */
  readonly path: readonly string[]
  readonly targetNamespace?: string
  readonly substitute: Readonly<Record<string, string>>
  readonly substituteFrom: readonly { readonly kind: string; readonly name: string }[]
}

export function readFluxKustomization(manifest: Manifest): FluxKustomization {
  const spec = fieldsAt(manifest.value, 'spec')
  const targetNamespace = textAt(spec, 'targetNamespace')
  const substitute = Object.entries(fieldsAt(spec, 'postBuild', 'substitute')).map(([name, value]) => [name, String(value)])
  return {
    name: nameOf(manifest),
    namespace: ownNamespaceOf(manifest) ?? 'flux-system',
    path: (textAt(spec, 'path') ?? '').split('/').filter((element) => element !== '' && element !== '.'),
    ...(targetNamespace !== undefined && { targetNamespace }),
    substitute: Object.fromEntries(substitute),
    substituteFrom: listAt(fieldsAt(spec, 'postBuild'), 'substituteFrom').map((from) => ({
      kind: textAt(from, 'kind') ?? 'ConfigMap',
      name: textAt(from, 'name') ?? '',
    })),
  }
}

/**
 * How deep in the file system the folder lies that `spec.path` names, when it is `folder` or one above it; undefined
 * when it is not. Nobody knows here where the repository begins, so any folder with that path's end is taken for it.
 */
export function coverDepth(flux: FluxKustomization, folder: string): number | undefined {
  if (flux.path.length === 0) return 0
  const elements = folder.split(/[/\\]/)
  for (let end = elements.length; end >= flux.path.length; end--) {
    const start = end - flux.path.length
    if (flux.path.every((element, index) => elements[start + index] === element)) return end
  }
  return undefined
}
