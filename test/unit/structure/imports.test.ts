import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

// The architecture as a table: what each folder of src/ may import from its siblings (docs/architecture.md).
const allowed: Record<string, readonly string[]> = {
  lib: [],
  api: ['lib'],
  config: ['lib'],
  cluster: ['api', 'lib'],
  translate: ['api', 'cluster', 'config', 'lib'],
  routing: ['config', 'lib'],
  proxy: ['config', 'routing', 'telemetry', 'lib'],
  telemetry: ['lib'],
  kube: ['api', 'telemetry', 'lib'],
  sources: ['api', 'kube', 'telemetry', 'lib'],
  x509: [],
  standalone: ['api', 'cluster', 'config', 'translate', 'proxy', 'x509', 'lib'],
  status: ['api', 'kube', 'telemetry', 'lib'],
  infra: ['api', 'kube', 'telemetry', 'x509', 'lib'],
  delivery: ['config', 'telemetry', 'lib'],
  workers: ['config', 'proxy', 'delivery', 'telemetry', 'lib'],
  controller: ['api', 'cluster', 'config', 'translate', 'telemetry', 'lib'],
  admin: ['api', 'cluster', 'config', 'routing', 'telemetry', 'lib'],
}
const pure = ['lib', 'api', 'config', 'cluster', 'translate', 'routing']
const pureModules = ['node:url', 'node:crypto']
/** A redacted value is given away here and nowhere else. */
const mayReveal = [
  /^src\/lib\/secret\.ts$/,
  /^src\/delivery\//,
  /^src\/proxy\/listener\//,
  /^src\/proxy\/upstream\/secure-dialer\.ts$/,
  /^src\/proxy\/http\/session-key\.ts$/,
  /^src\/workers\/settings\.ts$/,
]

const root = resolve(import.meta.dirname, '../../..')

interface SourceFile {
  readonly path: string
  readonly folder: string
  readonly text: string
  readonly imports: readonly { readonly from: string; readonly typeOnly: boolean }[]
}

function sourceFiles(): SourceFile[] {
  return readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const path = relative(root, join(entry.parentPath, entry.name))
      const text = readFileSync(join(root, path), 'utf8')
      return { path, folder: path.split('/')[1] ?? '', text, imports: importsOf(text) }
    })
}

function importsOf(text: string): { from: string; typeOnly: boolean }[] {
  const found: { from: string; typeOnly: boolean }[] = []
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s)?[^'"`;]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm)) {
    found.push({ from: match[2] ?? match[3] ?? match[4] ?? '', typeOnly: match[1] !== undefined })
  }
  return found
}

/** The folder of src/ that a relative import leads to, undefined for a package or a file of its own folder. */
function targetFolder(file: SourceFile, from: string): string | undefined {
  if (!from.startsWith('.')) return undefined
  const target = relative(join(root, 'src'), resolve(root, dirname(file.path), from)).split('/')[0] ?? ''
  return target === file.folder ? undefined : target
}

describe('the import table', () => {
  const files = sourceFiles()

  it('sees the source and its imports', () => {
    expect(files.length).toBeGreaterThan(20)
    expect(files.flatMap((file) => file.imports).length).toBeGreaterThan(40)
  })

  it('holds for every file but those of cli, which wires everything', () => {
    const wrong = files
      .filter((file) => file.folder !== 'cli')
      .flatMap((file) =>
        file.imports
          .map((entry) => targetFolder(file, entry.from))
          .filter((target) => target !== undefined && !(allowed[file.folder] ?? []).includes(target))
          .map((target) => `${file.path} imports ${target}`),
      )
    expect(wrong).toEqual([])
  })

  it('lets standalone see only the types of translate', () => {
    const wrong = files
      .filter((file) => file.folder === 'standalone')
      .flatMap((file) =>
        file.imports
          .filter((entry) => targetFolder(file, entry.from) === 'translate' && !entry.typeOnly)
          .map((entry) => `${file.path}: ${entry.from}`),
      )
    expect(wrong).toEqual([])
  })

  it('keeps the core pure: no node: module but url and crypto, and no chance or time', () => {
    const wrong = files
      .filter((file) => pure.includes(file.folder))
      .flatMap((file) => [
        ...file.imports
          .filter((entry) => entry.from.startsWith('node:') && !pureModules.includes(entry.from))
          .map((entry) => `${file.path} imports ${entry.from}`),
        ...[...file.text.matchAll(/Math\.random|Date\.now|new Date\(\)|performance\.now|randomBytes|randomUUID|process\.env/g)].map(
          (match) => `${file.path} uses ${match[0]}`,
        ),
      ])
    expect(wrong).toEqual([])
  })

  it('keeps the codec of HTTP/1 a leaf, and the way of a request free of what carries it', () => {
    const connections = ['answer', 'answer-writer', 'connection', 'read-ahead', 'serve'].map((name) => `src/proxy/http1/${name}.ts`)
    const wrong = files.flatMap((file) => {
      const targets = file.imports.filter(({ from }) => from.startsWith('.')).map(({ from }) => join(dirname(file.path), from))
      if (dirname(file.path) === 'src/proxy/http1' && !connections.includes(file.path))
        return targets.filter((target) => dirname(target) !== 'src/proxy/http1' || connections.includes(target))
      if (dirname(file.path) === 'src/proxy/http')
        return targets.filter((target) => dirname(target) === 'src/proxy/http2' || connections.includes(target))
      return []
    })
    expect(wrong).toEqual([])
    expect(connections.filter((path) => !files.some((file) => file.path === path))).toEqual([])
  })

  it('keeps what speaks HTTP to the API server in kube, and loads the library of credentials only when they are', () => {
    const wrong = files.flatMap(({ path, imports, text }) =>
      imports
        .filter(({ from, typeOnly }) => ['undici', '@kubernetes/client-node'].includes(from) && !typeOnly)
        .filter(({ from }) => !path.startsWith('src/kube/') || (from !== 'undici' && !text.includes(`await import('${from}')`)))
        .map(({ from }) => `${path} imports ${from}`),
    )
    expect(wrong).toEqual([])
  })

  it('lets only delivery, the TLS context and the keys of sessions reveal a secret', () => {
    const wrong = files
      .filter((file) => /\.reveal\(/.test(file.text) && !mayReveal.some((place) => place.test(file.path)))
      .map((file) => file.path)
    expect(wrong).toEqual([])
  })
})
