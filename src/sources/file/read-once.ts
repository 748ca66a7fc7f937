/** The files of this moment, for commands that look once and leave. */
import { join } from 'node:path'
import { Assembler } from './assembly.ts'
import type { AssemblyOptions, FileRead } from './assembly.ts'
import type { FileError } from './file-error.ts'
import { FileError as Failure } from './file-error.ts'
import { listFiles } from './listing.ts'
import { readText, sourceFile } from './source-file.ts'
import type { SourceFile } from './source-file.ts'
import { readStandardInput, STANDARD_INPUT } from './standard-input.ts'
import type { LocatedFinding } from '../source.ts'

export interface FileOptions extends AssemblyOptions {
  /** Folders, files, or `-` for standard input. */
  readonly paths: readonly string[]
}

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
  for (const { path, root, real } of listing.files) {
    const text = readText(path)
    if (typeof text === 'string') files.push(sourceFile(path, root, text, undefined, real))
    else problems.push(text)
  }
  const nothing = problems.length === 0 ? nothingFound(named, files) : undefined
  if (nothing) throw nothing
  return { files, problems }
}

/** Undefined when there is something to read. */
export function nothingFound(paths: readonly string[], files: readonly SourceFile[]): FileError | undefined {
  const streams = files.filter(({ path }) => path === STANDARD_INPUT)
  if (files.length > streams.length || streams.some(({ documents }) => documents.length > 0)) return undefined
  const [what, must] = paths.length === 0 ? ['standard input', 'YAML or JSON'] : [paths.join(', '), '*.yaml, *.yml or *.json files']
  return new Failure('nothing-found', `Cannot find a manifest: ${what} must hold ${must}, got none`)
}

export function problemFinding(problem: FileError): LocatedFinding {
  return { code: problem.code, severity: 'error', message: problem.message }
}
