/** All files of this moment as one set of objects, with everything that there is to say about them. */
import type { Path } from '../../api/issue.ts'
import type { ObjectRef } from '../../api/meta.ts'
import type { ApiObject } from '../../api/object.ts'
import type { LocatedFinding, Location, SourceRead } from '../source.ts'
import type { Certificate } from './certificate.ts'
import { certificatesOf } from './certificate.ts'
import { duplicateFinding } from './duplicate.ts'
import { fileFindings } from './file-findings.ts'
import type { Entry, FileReading, Place } from './file-reading.ts'
import { Locator, readObjects } from './file-reading.ts'
import type { ForeignKind } from './foreign.ts'
import { foreignFindings, foreignKinds } from './foreign.ts'
import { guardFindings } from './guard-findings.ts'
import { helmFindings } from './helm-findings.ts'
import { kustomizeFindings, piecesOfAll } from './kustomize.ts'
import { Scopes } from './scope.ts'
import type { SourceFile } from './source-file.ts'
import { SurroundingsReader } from './surroundings.ts'
import { variableFindings } from './variable-findings.ts'
import { localhostName } from './variables.ts'

export interface FileRead extends SourceRead {
  readonly foreign: readonly ForeignKind[]
  readonly certificates: readonly Certificate[]
  /** Every file that was looked at, in order. */
  readonly files: readonly string[]
  /** Where an object, or a path in it, stands; undefined for an object that no file holds. */
  readonly locate: (ref: ObjectRef, path?: Path) => Location | undefined
}

export interface AssemblyOptions {
  /** For objects that neither they nor their folder give a namespace. */
  readonly namespace?: string
  readonly variables?: Readonly<Record<string, string>>
  /** What becomes of `${VAR}` in a hostname when nothing gives it a value; `keep` unless given. */
  readonly unknownVariables?: 'localhost' | 'keep'
}

export class Assembler {
  readonly #options: AssemblyOptions
  readonly #surroundings: SurroundingsReader
  #scopes: Scopes | undefined
  #readings: ReadonlyMap<string, FileReading> = new Map()
  #objects: readonly ApiObject[] = []
  readonly #findings = new WeakMap<FileReading, readonly LocatedFinding[]>()

  constructor(options: AssemblyOptions) {
    this.#options = options
    this.#surroundings = new SurroundingsReader(options)
  }

  /** `files` in the order in which they win. */
  assemble(files: readonly SourceFile[]): FileRead {
    const surroundings = this.#surroundings.read(files, this.#readings)
    if (this.#scopes?.surroundings !== surroundings) this.#scopes = new Scopes(surroundings)
    const scopes = this.#scopes
    const pieces = piecesOfAll(surroundings.kustomizations, files)
    const isRenamed = this.#options.unknownVariables === 'localhost'
    const readings = eachOnce(files, scopes)
      .filter((file) => !pieces.has(file.real))
      .map((file) =>
        readObjects(file, {
          scope: scopes.of(file.folder, file.root),
          nameHost: isRenamed ? localhostName : undefined,
          previous: this.#readings.get(file.path),
        }),
      )
    this.#readings = new Map(readings.map((reading) => [reading.file.path, reading]))

    const locator = new Locator()
    const { entries, duplicates } = merge(readings)
    const foreign = foreignKinds(readings)
    const objects = this.#keepList([...entries.values()].map(({ object }) => object))
    return {
      objects,
      findings: [
        ...readings.flatMap((reading) => this.#fileFindings(reading, locator)),
        ...duplicates.map(({ first, second }) => duplicateFinding(first, second, locator)),
        ...variableFindings(readings, locator, isRenamed),
        ...kustomizeFindings(surroundings.kustomizations),
        ...guardFindings(readings, objects),
        ...helmFindings(readings),
        ...foreignFindings(foreign),
      ],
      foreign,
      certificates: certificatesOf(readings),
      files: files.map(({ path }) => path),
      locate: (ref, path = []) => {
        const entry = entries.get(`${ref.kind}/${ref.namespace}/${ref.name}`)
        return entry && locator.locate(entry.place, path)
      },
    }
  }

  #fileFindings(reading: FileReading, locator: Locator): readonly LocatedFinding[] {
    const known = this.#findings.get(reading)
    if (known) return known
    const findings = fileFindings(reading, locator)
    this.#findings.set(reading, findings)
    return findings
  }

  #keepList(objects: readonly ApiObject[]): readonly ApiObject[] {
    const before = this.#objects
    if (before.length !== objects.length || objects.some((object, index) => object !== before[index])) this.#objects = objects
    return this.#objects
  }
}

/**
 * A file that several symbolic links lead to is one file, except where the links stand in folders of other namespaces:
 * so one file can serve several of them.
 */
function eachOnce(files: readonly SourceFile[], scopes: Scopes): readonly SourceFile[] {
  const known = new Map<string, SourceFile[]>()
  const namespaceOf = ({ folder, root }: SourceFile): string => scopes.of(folder, root).namespace
  return files.filter((file) => {
    const same = known.get(file.real)
    if (same === undefined) known.set(file.real, [file])
    else if (same.some((other) => namespaceOf(other) === namespaceOf(file))) return false
    else same.push(file)
    return true
  })
}

interface Merged {
  readonly entries: ReadonlyMap<string, Entry>
  readonly duplicates: readonly { readonly first: Entry; readonly second: Entry }[]
}

/** Of two definitions of one object the first wins. */
function merge(readings: readonly FileReading[]): Merged {
  const entries = new Map<string, Entry>()
  const duplicates: { first: Entry; second: Entry }[] = []
  for (const reading of readings) {
    for (const entry of reading.entries) {
      const first = entries.get(entry.key)
      if (first === undefined) entries.set(entry.key, entry)
      else if (!isSamePlace(first.place, entry.place)) duplicates.push({ first, second: entry })
    }
  }
  return { entries, duplicates }
}

/** One file read for two namespaces may hold objects that name theirs. */
function isSamePlace(a: Place, b: Place): boolean {
  return a.file.real === b.file.real && a.document.start === b.document.start && a.within.join() === b.within.join()
}
