/** Standard input, read to its end once: `kustomize build . | gatewright run -`. */
import { readSync } from 'node:fs'
import { fileErrorOf } from './file-error.ts'
import { sourceFile } from './source-file.ts'
import type { SourceFile } from './source-file.ts'

export const STANDARD_INPUT = '-'

const CHUNK_BYTES = 64 * 1024
const PAUSE_MS = 5

/** Waits for the end, so a writer that never ends never lets it return. Throws a FileError. */
export function readStandardInput(descriptor = 0): SourceFile {
  const chunks: Buffer[] = []
  for (;;) {
    const chunk = readChunk(descriptor)
    if (chunk === 'wait') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
    else if (chunk.length === 0) return sourceFile(STANDARD_INPUT, '.', Buffer.concat(chunks).toString('utf8'))
    else chunks.push(chunk)
  }
}

/** A pipe that another process made non-blocking has nothing to say yet (EAGAIN); on Windows the end of one is an error. */
function readChunk(descriptor: number): Buffer | 'wait' {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  try {
    return buffer.subarray(0, readSync(descriptor, buffer))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EAGAIN') return 'wait'
    if (code === 'EOF') return buffer.subarray(0, 0)
    throw fileErrorOf(error, 'read standard input')
  }
}
