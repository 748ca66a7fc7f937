/**
 * conformance: what the official suite asks of a cluster, asked of our own parts put together, without a cluster.
 *
 * Each test here bears the name of one of `sigs.k8s.io/gateway-api/conformance`, takes that test's manifests, lets them pass
 * through parse, translate, delivery and a data plane on loopback, and claims what the suite claims: statuses, and what
 * becomes of requests. Nothing of the suite is in this repository: its manifests are read where the Go tool chain keeps
 * them, and where they are missing the tests are skipped. `coverage.test.ts` demands a test for each one whose features
 * the GatewayClass claims; `left-out.ts` says what is not claimed yet, and why; `unclaimed.test.ts` holds what is true already.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

const MODULE = 'sigs.k8s.io/gateway-api/conformance@v1.7.0'

export interface SuiteTest {
  readonly name: string
  /** Names of pkg/features, as in `GatewayClass.status.supportedFeatures`. */
  readonly features: readonly string[]
  /** Paths below the module. */
  readonly manifests: readonly string[]
  /** Whether it waits until every Gateway is accepted and programmed. */
  readonly waits: boolean
}

export interface SuiteModule {
  /** By name. */
  readonly tests: ReadonlyMap<string, SuiteTest>
  /** All YAML documents of a file, given by its path below the module. */
  readonly read: (path: string) => readonly Manifest[]
}

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly generation?: number
    readonly creationTimestamp?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

/** Undefined, and loud, where the module is missing. */
function findSuite(): SuiteModule | undefined {
  const folder = process.env['GATEWAY_API_CONFORMANCE_DIR'] ?? join(moduleCache(), MODULE)
  if (!existsSync(join(folder, 'base/manifests.yaml'))) {
    console.warn(
      `Left out: the tests of the official suite, ${MODULE} (not in the Go module cache; GATEWAY_API_CONFORMANCE_DIR can name it)`,
    )
    return undefined
  }
  const sources = readdirSync(join(folder, 'tests')).filter((file) => file.endsWith('.go'))
  const tests = sources.flatMap((file) => testsIn(readFileSync(join(folder, 'tests', file), 'utf8')))
  return {
    tests: new Map(tests.map((test) => [test.name, test])),
    read: (path) =>
      parseAllDocuments(readFileSync(join(folder, path), 'utf8'))
        .map((document) => document.toJS() as Manifest | null)
        .filter((manifest) => manifest !== null),
  }
}

function moduleCache(): string {
  return process.env['GOMODCACHE'] ?? join(process.env['GOPATH'] ?? join(homedir(), 'go'), 'pkg', 'mod')
}

/** The declarations of tests in a Go source. */
function testsIn(source: string): readonly SuiteTest[] {
  return source
    .split('.ConformanceTest{')
    .slice(1)
    .flatMap((declaration) => {
      const name = /ShortName:\s*"(\w+)"/.exec(declaration)?.[1]
      if (name === undefined) return []
      const features = /Features:\s*\[\]features\.FeatureName\{(.*?)\}/s.exec(declaration)?.[1] ?? ''
      const manifests = /Manifests:\s*\[\]string\{(.*?)\}/s.exec(declaration)?.[1] ?? ''
      return [
        {
          name,
          features: words(features, /features\.Support(\w+)/g),
          manifests: words(manifests, /"([^"]+)"/g),
          waits: declaration.includes('NamespacesMustBeReady('),
        },
      ]
    })
}

function words(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, word = '']) => word)
}

export const suite = findSuite()
