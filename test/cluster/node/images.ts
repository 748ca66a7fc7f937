/** What an image's name stands for here: there are no images, but there is the program that each of them would run. */
import { lstatSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '../checkout.ts'

export interface Image {
  /** Files and folders of the machine, read-only, by their place in the container. */
  readonly files: Readonly<Record<string, string>>
  /** Symbolic links, by their place in the container. */
  readonly links: Readonly<Record<string, string>>
  readonly entrypoint: readonly string[]
  readonly workingDir: string
  /** User and group. */
  readonly user: number
  readonly path: string
}

/** Distroless images' user `nonroot`. */
const NONROOT = 65532
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Undefined for an image that nobody has here. */
export type Images = (name: string) => Image | undefined

/** `echoBasic` is the program of the conformance suite's image. */
export function imagesOf(echoBasic: string): Images {
  const echo: Image = {
    files: { '/echo-basic': echoBasic },
    links: {},
    entrypoint: ['/echo-basic'],
    workingDir: '/',
    user: NONROOT,
    path: SYSTEM_PATH,
  }
  const gatewright = gatewrightImage()
  return (name) => {
    switch (repositoryOf(name)) {
      case 'echo-basic':
        return echo
      case 'gatewright':
        return gatewright
      default:
        return undefined
    }
  }
}

/** The last part of a name: `echo-basic` of `registry.example/conformance/echo-basic:v0.1.0@sha256:...`. */
function repositoryOf(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1)
  return /^[^:@]*/.exec(last)?.[0] ?? ''
}

/** What this checkout's Dockerfile puts together: a Node.js, dist/ and its dependencies. */
function gatewrightImage(): Image {
  const system = ['/usr', '/lib', '/lib32', '/lib64', '/bin', '/sbin'].map((path) => ({ path, target: linkOf(path) }))
  return {
    files: {
      ...Object.fromEntries(system.filter(({ target }) => target === '').map(({ path }) => [path, path])),
      '/nodejs/bin/node': process.execPath,
      '/app/package.json': join(checkout, 'package.json'),
      '/app/dist': join(checkout, 'dist'),
      '/app/node_modules': join(checkout, 'node_modules'),
    },
    links: Object.fromEntries(system.flatMap(({ path, target }) => (target === undefined || target === '' ? [] : [[path, target]]))),
    entrypoint: ['/nodejs/bin/node', '/app/dist/cli/main.js'],
    workingDir: '/app',
    user: NONROOT,
    path: `/nodejs/bin:${SYSTEM_PATH}`,
  }
}

/** Where a symbolic link leads, empty for what is none, undefined for what is not there. */
function linkOf(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : ''
  } catch {
    return undefined
  }
}
