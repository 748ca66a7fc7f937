/** What a folder's place gives the objects in it: the namespace of those that name none, and values for variables. */
import { dirname } from 'node:path'
import type { FluxKustomization } from './flux.ts'
import { coverDepth } from './flux.ts'
import type { Kustomization } from './kustomize.ts'
import type { Lookup } from './variables.ts'

export interface Scope {
  readonly namespace: string
  readonly lookup: Lookup
}

/** The data of the ConfigMaps and readable Secrets of the folder, by name; several of one name in the order of files. */
export interface VariableSource {
  readonly kind: string
  readonly name: string
  readonly data: Readonly<Record<string, string>>
}

export interface Surroundings {
  readonly kustomizations: readonly Kustomization[]
  readonly fluxes: readonly FluxKustomization[]
  readonly sources: readonly VariableSource[]
  /** What the user said: `-n` and `--set`. */
  readonly namespace: string | undefined
  readonly variables: Readonly<Record<string, string>>
}

export class Scopes {
  readonly surroundings: Surroundings
  /** By root, then by folder. */
  readonly #known = new Map<string, Map<string, Scope>>()
  readonly #kustomizations: ReadonlyMap<string, Kustomization>

  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings
    this.#kustomizations = new Map(surroundings.kustomizations.map((kustomization) => [kustomization.file.folder, kustomization]))
  }

  /** `root` is the folder above which no kustomization is looked for. */
  of(folder: string, root: string): Scope {
    const byFolder = this.#known.get(root) ?? new Map<string, Scope>()
    const known = byFolder.get(folder)
    if (known) return known
    const covering = this.#covering(folder)
    const scope = {
      namespace: this.#namespace(folder, root, covering),
      lookup: this.#lookup(covering.map(({ flux }) => flux)),
    }
    this.#known.set(root, byFolder.set(folder, scope))
    return scope
  }

  /** Nearest first. */
  #covering(folder: string): { readonly flux: FluxKustomization; readonly depth: number }[] {
    return this.surroundings.fluxes
      .map((flux) => ({ flux, depth: coverDepth(flux, folder) }))
      .filter((cover): cover is { flux: FluxKustomization; depth: number } => cover.depth !== undefined)
      .sort((a, b) => b.depth - a.depth)
  }

  /** The nearest that names one; at the same folder Flux, which overrides the kustomization that it builds. */
  #namespace(folder: string, root: string, covering: readonly { readonly flux: FluxKustomization; readonly depth: number }[]): string {
    const flux = covering.find((cover) => cover.flux.targetNamespace !== undefined)
    for (let at = folder; at.startsWith(root); at = dirname(at)) {
      if (flux && depthOf(at) <= flux.depth) break
      const namespace = this.#kustomizations.get(at)?.namespace
      if (namespace !== undefined) return namespace
      if (at === root || dirname(at) === at) break
    }
    return flux?.flux.targetNamespace ?? this.surroundings.namespace ?? 'default'
  }

  /**
   * `--set`, then the Flux Kustomizations that cover the folder, then what any other one takes its variables from (a parent
   * often gives them to its children by a patch), then any ConfigMap of the folder.
   */
  #lookup(covering: readonly FluxKustomization[]): Lookup {
    const { variables, sources, fluxes } = this.surroundings
    const namedBy = (some: readonly FluxKustomization[]) => {
      const names = new Set(some.flatMap((flux) => flux.substituteFrom.map((from) => `${from.kind}/${from.name}`)))
      return sources.filter((source) => names.has(`${source.kind}/${source.name}`)).map(({ data }) => data)
    }
    const layers = [
      variables,
      ...covering.flatMap((flux) => [flux.substitute, ...namedBy([flux]).reverse()]),
      ...namedBy(fluxes),
      ...sources.filter(({ kind }) => kind === 'ConfigMap').map(({ data }) => data),
    ]
    return (name) => layers.find((layer) => Object.hasOwn(layer, name))?.[name]
  }
}

function depthOf(folder: string): number {
  return folder.split(/[/\\]/).length
}
