/** All files of this moment as one set of objects, with everything that there is to say about them. */
import type { Path } from '../../api/issue.ts'
import type { ObjectRef } from '../../api/meta.ts'
import type { ApiObject } from '../../api/object.ts'
import { changedSpan, sameItems } from '../../lib/list-change.ts'
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

/** What one assembly did, for the next one to begin with. */
interface Round {
  readonly files: readonly SourceFile[]
  readonly scopes: Scopes
  /** One for each file; undefined for one that is not read for objects. */
  readonly readings: readonly (FileReading | undefined)[]
  readonly merged: Merged
}

export class Assembler {
  readonly #options: AssemblyOptions
  readonly #surroundings: SurroundingsReader
  #scopes: Scopes | undefined
  #round: Round | undefined
  #objects: readonly ApiObject[] = []
  readonly #findings = new WeakMap<FileReading, readonly LocatedFinding[]>()
  /** By path within the object: to find one, its document is parsed again. An entry is another one when its file has changed. */
  readonly #locations = new WeakMap<Entry, Map<string, Location>>()

  constructor(options: AssemblyOptions) {
    this.#options = options
    this.#surroundings = new SurroundingsReader(options)
  }

  /** `files` in the order in which they win. */
  assemble(files: readonly SourceFile[]): FileRead {
    const before = this.#round
    const byPath = onDemand(() => new Map(before?.readings.flatMap((reading) => (reading ? [[reading.file.path, reading]] : []))))
    const lastOf = (path: string): FileReading | undefined => byPath().get(path)
    const surroundings = this.#surroundings.read(files, lastOf)
    if (this.#scopes?.surroundings !== surroundings) this.#scopes = new Scopes(surroundings)
    const scopes = this.#scopes
    const isRenamed = this.#options.unknownVariables === 'localhost'
    const read = (file: SourceFile, previous: FileReading | undefined): FileReading =>
      readObjects(file, { scope: scopes.of(file.folder, file.root), nameHost: isRenamed ? localhostName : undefined, previous })
    const all = (before && readEdited(files, scopes, before, read)) ?? readAll(files, scopes, (file) => read(file, lastOf(file.path)))
    const readings = all.filter((reading) => reading !== undefined)
    const merged = (before && mergeEdited(all, before)) ?? merge(readings)
    this.#round = { files, scopes, readings: all, merged }

    const locator = new Locator()
    const { entries, duplicates } = merged
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
        return entry && this.#locate(entry, path, locator)
      },
    }
  }

  #locate(entry: Entry, path: Path, locator: Locator): Location {
    const known = this.#locations.get(entry) ?? new Map<string, Location>()
    this.#locations.set(entry, known)
    const key = JSON.stringify(path)
    const location = known.get(key) ?? locator.locate(entry.place, path)
    known.set(key, location)
    return location
  }

  #fileFindings(reading: FileReading, locator: Locator): readonly LocatedFinding[] {
    const known = this.#findings.get(reading)
    if (known) return known
    const findings = fileFindings(reading, locator)
    this.#findings.set(reading, findings)
    return findings
  }

  #keepList(objects: readonly ApiObject[]): readonly ApiObject[] {
    if (!sameItems(this.#objects, objects)) this.#objects = objects
    return this.#objects
  }
}

type Read = (file: SourceFile) => FileReading

function readAll(files: readonly SourceFile[], scopes: Scopes, read: Read): Round['readings'] {
  const pieces = piecesOfAll(scopes.surroundings.kustomizations, files)
  const once = new Set(eachOnce(files, scopes))
  return files.map((file) => (once.has(file) && !pieces.has(file.real) ? read(file) : undefined))
}

/** The usual change: files were edited, none came or went, and what they say about others is as before. Undefined when it was another one. */
function readEdited(
  files: readonly SourceFile[],
  scopes: Scopes,
  before: Round,
  read: (file: SourceFile, previous: FileReading) => FileReading,
): Round['readings'] | undefined {
  if (before.scopes !== scopes || before.files.length !== files.length) return undefined
  const readings = [...before.readings]
  const { begin, afterEnd } = changedSpan(before.files, files)
  for (let i = begin; i < afterEnd; i++) {
    const [old, file, reading] = [before.files[i], files[i], readings[i]]
    if (old === undefined || file === undefined || old.path !== file.path || old.real !== file.real) return undefined
    if (old !== file && reading) readings[i] = read(file, reading)
  }
  return readings
}

function onDemand<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
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
  /** Nothing is defined twice, not even in one place. */
  readonly isPlain: boolean
}

/** Of two definitions of one object the first wins. */
function merge(readings: readonly FileReading[]): Merged {
  const entries = new Map<string, Entry>()
  const duplicates: { first: Entry; second: Entry }[] = []
  let isPlain = true
  for (const reading of readings) {
    for (const entry of reading.entries) {
      const first = entries.get(entry.key)
      if (first === undefined) entries.set(entry.key, entry)
      else {
        isPlain = false
        if (!isSamePlace(first.place, entry.place)) duplicates.push({ first, second: entry })
      }
    }
  }
  return { entries, duplicates, isPlain }
}

/** Undefined when files define other objects than before, or did so twice. */
function mergeEdited(readings: Round['readings'], before: Round): Merged | undefined {
  if (!before.merged.isPlain || before.readings.length !== readings.length) return undefined
  const entries = new Map(before.merged.entries)
  const { begin, afterEnd } = changedSpan(before.readings, readings)
  for (let i = begin; i < afterEnd; i++) {
    const [old, reading] = [before.readings[i], readings[i]]
    if (old === reading) continue
    if (!old || !reading || old.entries.length !== reading.entries.length) return undefined
    for (const [place, entry] of reading.entries.entries()) {
      if (entry.key !== old.entries[place]?.key) return undefined
      entries.set(entry.key, entry)
    }
  }
  return { entries, duplicates: [], isPlain: true }
}

/** One file read for two namespaces may hold objects that name theirs. */
function isSamePlace(a: Place, b: Place): boolean {
  return a.file.real === b.file.real && a.document.start === b.document.start && a.within.join() === b.within.join()
}
