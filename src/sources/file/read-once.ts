/** The files of this moment, for commands that look once and leave. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Assembler } from './assembly.ts'
import type { AssemblyOptions, FileRead } from './assembly.ts'
import type { FileError } from './file-error.ts'
import { FileError as Failure } from './file-error.ts'
import { listFiles } from './listing.ts'
import { readText, sourceFile } from './source-file.ts'
import type { SourceFile } from './source-file.ts'
import type { LocatedFinding } from '../source.ts'

export interface FileOptions extends AssemblyOptions {
  /** Folders, files, or `-` for standard input. */
  readonly paths: readonly string[]
}

export const STANDARD_INPUT = '-'

/** The paths of the file system among those given, in one spelling. */
export function namedPaths(paths: readonly string[]): string[] {
  return paths.filter((path) => path !== STANDARD_INPUT).map((path) => join(path, '.'))
}

/** Throws a FileError when one of the paths cannot be read at all, or when they hold no file. */
export function readOnce(options: FileOptions): FileRead {
  const { files, problems } = readFiles(options.paths)
  const read = new Assembler(options).assemble(files)
  return problems.length === 0 ? read : { ...read, findings: [...problems.map(problemFinding), ...read.findings] }
}

interface Files {
  readonly files: readonly SourceFile[]
  readonly problems: readonly FileError[]
}

function readFiles(paths: readonly string[]): Files {
  const files: SourceFile[] = []
  if (paths.includes(STANDARD_INPUT)) files.push(readStandardInput())
  const named = namedPaths(paths)
  const listing = listFiles(named)
  for (const path of named) {
    const problem = listing.problems.get(path)
    if (problem) throw problem
  }
  const problems = [...listing.problems.values()]
  for (const { path, root } of listing.files) {
    const text = readText(path)
    if (typeof text === 'string') files.push(sourceFile(path, root, text))
    else problems.push(text)
  }
  if (files.length === 0 && problems.length === 0) throw nothingFound(named)
  return { files, problems }
}

export function readStandardInput(): SourceFile {
  return sourceFile(STANDARD_INPUT, '.', readFileSync(0, 'utf8'))
}

export function nothingFound(paths: readonly string[]): FileError {
  return new Failure('nothing-found', `Cannot find a manifest: ${paths.join(', ')} must hold *.yaml, *.yml or *.json files, got none`)
}

export function problemFinding(problem: FileError): LocatedFinding {
  return { code: problem.code, severity: 'error', message: problem.message }
}
