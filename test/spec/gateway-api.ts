/**
 * The Gateway API's own module, as the Go tool chain keeps it: CRDs, examples, invalid examples. It is read where it
 * lies and nothing of it is in this repository; where it is missing, the tests that compare with it say so and are left out.
 * `GATEWAY_API_DIR` names it, else the module cache is looked at (`go mod download sigs.k8s.io/gateway-api@v1.7.0`).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

const MODULE = 'sigs.k8s.io/gateway-api@v1.7.0'

/** The folder of the module, undefined where it is missing. */
export function findGatewayApi(): string | undefined {
  const named = process.env['GATEWAY_API_DIR']
  if (named !== undefined) {
    if (!existsSync(join(named, 'config/crd')))
      throw new Error(`Cannot read the CRDs: GATEWAY_API_DIR must be the folder of ${MODULE}, got ${named}`)
    return named
  }
  const found = join(moduleCache(), MODULE)
  if (existsSync(found)) return found
  console.warn(`Left out: comparison with the CRDs of ${MODULE} (not in the Go module cache; GATEWAY_API_DIR can name it)`)
  return undefined
}

function moduleCache(): string {
  return process.env['GOMODCACHE'] ?? join(process.env['GOPATH'] ?? join(homedir(), 'go'), 'pkg', 'mod')
}

/** All YAML documents below a folder, with their files. */
export function readManifests(folder: string): { readonly file: string; readonly documents: readonly unknown[] }[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.yaml'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((file) => ({
      file: file.slice(folder.length + 1),
      documents: parseAllDocuments(readFileSync(file, 'utf8'))
        .map((document): unknown => document.toJS())
        .filter((document) => document !== null),
    }))
}
