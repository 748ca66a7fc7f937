import { chmodSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FileError } from '../../../src/sources/file/file-error.ts'
import { readOnce } from '../../../src/sources/file/read-once.ts'
import { objectKey } from '../../../src/sources/source.ts'
import { folder } from './folder.ts'
import { gatewayYaml, routeYaml } from './manifests.ts'

function keys(paths: readonly string[]): string[] {
  return readOnce({ paths }).objects.map(objectKey)
}

function failure(paths: readonly string[]): FileError {
  try {
    readOnce({ paths })
  } catch (error) {
    if (error instanceof FileError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('what is read', () => {
  it('is every *.yaml, *.yml and *.json below a folder, in the order of names, without hidden folders and node_modules', () => {
    const place = folder({
      'b/r.yml': routeYaml('second'),
      'a.yaml': routeYaml('first'),
      'c.json': JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'third' } }),
      'notes.txt': routeYaml('text'),
      '.git/x.yaml': routeYaml('hidden'),
      'node_modules/x.yaml': routeYaml('module'),
    })
    expect(keys([place.path])).toEqual(['HTTPRoute/default/first', 'HTTPRoute/default/second', 'Namespace//third'])
  })

  it('is single files, whatever their name, and each file once', () => {
    const place = folder({ 'a.yaml': routeYaml('a'), 'manifest.txt': routeYaml('b') })
    expect(keys([join(place.path, 'manifest.txt'), place.path, join(place.path, 'a.yaml')])).toEqual([
      'HTTPRoute/default/b',
      'HTTPRoute/default/a',
    ])
  })

  it('follows symbolic links, but not in circles', () => {
    const place = folder({ 'real/a.yaml': routeYaml('a') })
    symlinkSync('..', join(place.path, 'real', 'up'))
    symlinkSync('nowhere.yaml', join(place.path, 'dangling.yaml'))
    expect(readOnce({ paths: [place.path] }).objects).toHaveLength(1)
    expect(readOnce({ paths: [place.path] }).findings).toEqual([])
  })

  it('is every document of a file, with comments, CRLF line ends, a byte order mark and empty documents around', () => {
    const text = `\uFEFF---\n# a comment\n---\n${routeYaml('a')}--- # the next one\n${routeYaml('b')}...\n---\n---\n${gatewayYaml('front')}`
    const place = folder({ 'unix.yaml': text })
    const expected = ['HTTPRoute/default/a', 'HTTPRoute/default/b', 'Gateway/default/front']
    expect(keys([place.path])).toEqual(expected)
    place.write('unix.yaml', text.replaceAll('\n', '\r\n'))
    expect(keys([place.path])).toEqual(expected)
    expect(readOnce({ paths: [place.path] }).findings).toEqual([])
  })

  it('is what lists hold, also lists of one kind, whose items need no type of their own', () => {
    const item = (name: string) => ({
      metadata: { name },
      spec: { gatewayClassName: 'any', listeners: [{ name: 'l', port: 80, protocol: 'HTTP' }] },
    })
    const gateway = (name: string) => ({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', ...item(name) })
    const place = folder({
      'list.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [gateway('a'), { apiVersion: 'batch/v1', kind: 'Job' }] }),
      'typed.json': JSON.stringify({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GatewayList', items: [item('b')] }),
      'flow.yaml': `{apiVersion: v1, kind: Namespace, metadata: {name: c}}`,
    })
    expect(keys([place.path])).toEqual(['Namespace//c', 'Gateway/default/a', 'Gateway/default/b'])
    expect(readOnce({ paths: [place.path] }).foreign).toMatchObject([{ kind: 'Job', count: 1 }])
  })

  it('is never a block of text that looks like a document', () => {
    const place = folder({
      'a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: |\n    ---\n    kind: HTTPRoute\n`,
    })
    expect(keys([place.path])).toEqual(['ConfigMap/default/a'])
  })

  it('leaves files that are no manifests alone, whatever they hold', () => {
    const place = folder({
      'a.yaml': routeYaml('a'),
      'values.yaml': 'image: x\nreplicas: 2\n',
      'package.json': '{"name": "x", "kind": 3',
      'pipeline.yaml': 'kind: pipeline\nsteps: [\n',
      'mkdocs.yml': 'plugins: !!python/name:x.y\nsite: [\n',
      'crd.yaml': 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: [broken\n',
    })
    const read = readOnce({ paths: [place.path] })
    expect(read.objects).toHaveLength(1)
    expect(read.findings).toEqual([])
    expect(read.foreign).toEqual([
      { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', count: 1, files: [join(place.path, 'crd.yaml')] },
    ])
  })

  it('says of a manifest without apiVersion what it lacks', () => {
    const place = folder({ 'a.yaml': 'kind: HTTPRoute\nmetadata:\n  name: a\n' })
    expect(readOnce({ paths: [place.path] }).findings).toMatchObject([{ severity: 'error', path: ['apiVersion'], at: { line: 1 } }])
  })
})

describe('a document that is no mapping', () => {
  it('is told with its place', () => {
    const place = folder({
      'a.yaml': `${routeYaml('a')}---\n# hosts\n- one\n- two\n---\n\n  just words\n---\n42\n---\n# nothing\n---\nnull\n`,
    })
    const file = join(place.path, 'a.yaml')
    const message = (what: string) => `a document of ${file} is skipped: a manifest must be a mapping, got ${what}`
    const shared = { code: 'not-a-mapping', severity: 'note' }
    const { findings, objects } = readOnce({ paths: [place.path] })
    const [list, ...values] = findings
    expect(objects).toHaveLength(1)
    expect(list).toMatchObject({ ...shared, message: message('a list'), at: { file, line: 20, column: 1 } })
    expect(values).toMatchObject([
      { ...shared, message: message('a plain value'), at: { line: 24, column: 3 } },
      { ...shared, at: { line: 26, column: 1 } },
    ])
  })

  it.each([
    ['a list', `- ${routeYaml('a').trimEnd().replaceAll('\n', '\n  ')}\n`, 'write each item as a document of its own'],
    [
      'a list',
      JSON.stringify([{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } }]),
      'write each item as a document of its own',
    ],
    ['a plain value', 'apiVersion v1\nkind Service\n', 'write a colon'],
  ])('is an error where somebody meant manifests: %s', (what, text, remedy) => {
    const place = folder({ 'a.yaml': `# ours\n${text}` })
    const message = expect.stringContaining(`a manifest must be a mapping, got ${what}; ${remedy}`) as string
    expect(readOnce({ paths: [place.path] }).findings).toMatchObject([{ severity: 'error', message, at: { line: 2, column: 1 } }])
  })
})

describe('one file that symbolic links lead to', () => {
  it('is one file, by however many links and folders', () => {
    const place = folder({ 'real/a.yaml': routeYaml('a'), 'real/deep/b.yaml': routeYaml('b') })
    for (const name of ['a1.yaml', 'z1.yaml']) symlinkSync('real/a.yaml', join(place.path, name))
    for (const name of ['before', 'sister']) symlinkSync('real', join(place.path, name))
    symlinkSync('sister/deep/b.yaml', join(place.path, 'real', 'b.yaml'))
    const { objects, findings } = readOnce({ paths: [place.path, join(place.path, 'z1.yaml'), join(place.path, 'real')] })
    expect(findings).toEqual([])
    expect(objects.map(({ metadata }) => metadata.name).sort()).toEqual(['a', 'b'])
  })

  it('serves each namespace that its links stand in, and what names its own namespace once', () => {
    const kustomization = (namespace: string) =>
      `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: ${namespace}\n`
    const place = folder({
      'one/kustomization.yaml': kustomization('one'),
      'two/kustomization.yaml': kustomization('two'),
      'one/r.yaml': `${routeYaml('r')}---\n${routeYaml('fixed', { namespace: 'three' })}`,
    })
    symlinkSync('../one/r.yaml', join(place.path, 'two', 'r.yaml'))
    const { objects, findings } = readOnce({ paths: [place.path] })
    expect(findings).toEqual([])
    expect(objects.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort()).toEqual(['one/r', 'three/fixed', 'two/r'])
  })

  it('says of two definitions in it what it says of those in two files', () => {
    const place = folder({ 'a.yaml': `${routeYaml('a')}---\n${routeYaml('a')}` })
    symlinkSync('a.yaml', join(place.path, 'b.yaml'))
    expect(readOnce({ paths: [place.path] }).findings.map(({ code }) => code)).toEqual(['defined-twice'])
  })

  it('is no object where it is a patch anywhere', () => {
    const place = folder({
      'base/patch.yaml': 'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: r\nspec:\n  rules: broken\n',
      'prod/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: team\npatches:\n  - path: patch.yaml\n',
    })
    symlinkSync('../base/patch.yaml', join(place.path, 'prod', 'patch.yaml'))
    expect(readOnce({ paths: [place.path] }).findings.map(({ code }) => code)).toEqual(['kustomize-not-applied'])
  })
})

describe('what cannot be read', () => {
  it('is one line for a path that is not there', () => {
    expect(failure(['/nowhere/at/all'])).toMatchObject({
      code: 'no-such-path',
      message: 'Cannot read /nowhere/at/all: there is no such file or folder',
    })
  })

  it('is one line for a folder without manifests', () => {
    const place = folder({ 'readme.txt': '' })
    expect(failure([place.path])).toMatchObject({ code: 'nothing-found' })
    expect(failure([place.path]).message).toBe(`Cannot find a manifest: ${place.path} must hold *.yaml, *.yml or *.json files, got none`)
  })

  it.skipIf(process.getuid?.() === 0)('is a finding for a file below a folder, and an error for a path that was named', () => {
    const place = folder({ 'a.yaml': routeYaml('a'), 'b.yaml': routeYaml('b') })
    chmodSync(join(place.path, 'b.yaml'), 0)
    expect(keys([place.path])).toEqual(['HTTPRoute/default/a'])
    expect(readOnce({ paths: [place.path] }).findings).toMatchObject([{ code: 'no-permission', severity: 'error' }])
  })
})

describe('an object that two files define', () => {
  it('is the first in the order of paths, with a finding that names both places', () => {
    const place = folder({
      'b.yaml': routeYaml('r', { hostname: 'b.example.com' }),
      'a.yaml': routeYaml('r', { hostname: 'a.example.com' }),
    })
    const read = readOnce({ paths: [place.path] })
    expect(read.objects).toMatchObject([{ spec: { hostnames: ['a.example.com'] } }])
    expect(read.findings).toMatchObject([
      {
        code: 'defined-twice',
        object: { kind: 'HTTPRoute', namespace: 'default', name: 'r' },
        message: `defined twice; the first definition wins (${join(place.path, 'a.yaml')}:4)`,
        at: { file: join(place.path, 'b.yaml'), line: 4, column: 9 },
      },
    ])
  })

  it('is no trouble when the namespaces differ', () => {
    const place = folder({ 'a.yaml': routeYaml('r', { namespace: 'p' }), 'b.yaml': routeYaml('r', { namespace: 'q' }) })
    expect(keys([place.path])).toEqual(['HTTPRoute/p/r', 'HTTPRoute/q/r'])
  })
})
