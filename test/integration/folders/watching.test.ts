/** `run` on folders that move under it: what cannot be watched, what is renamed, saved by halves, deleted and put back. */
import { chmodSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FileSource } from '../../../src/sources/file/file-source.ts'
import { pause } from '../../harness/eventually.ts'
import { folderOf, route } from './folder.ts'

const web = (path: string): string => route('web', `matches: [{path: {value: ${path}}}], backendRefs: [{name: web, port: 80}]`)

/** Root may read everything: then the folder is looked at as somebody else. `start` and `read` do all their work before they return. */
function asNobody<T>(action: () => T): T {
  if (process.geteuid?.() !== 0) return action()
  process.seteuid?.(65_534)
  try {
    return action()
  } finally {
    process.seteuid?.(0)
  }
}

function watches(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap').length
}

function paths(source: FileSource): string[] {
  return source.read().objects.flatMap((object) => {
    if (object.kind !== 'HTTPRoute') return []
    return object.spec.rules.flatMap(({ matches }) => matches.map((match) => match.path.value))
  })
}

async function expectSoon(source: FileSource, expected: readonly string[]): Promise<void> {
  const until = performance.now() + 2_000
  while (performance.now() < until && JSON.stringify(paths(source)) !== JSON.stringify(expected)) await pause(5)
  expect(paths(source)).toEqual(expected)
}

describe('a folder that cannot be watched', () => {
  it('leaves no watch and no timer behind when the source stops', async () => {
    const folder = folderOf({ 'web.yaml': web('/v1') })
    const closed = join(folder, 'closed')
    mkdirSync(closed)
    chmodSync(folder, 0o755)
    chmodSync(closed, 0o000)
    const before = watches()
    const source = new FileSource({ paths: [folder], pollMs: 20 })
    await asNobody(() => source.start(() => {}))
    await source.stop()
    await pause(100)
    expect(watches()).toBe(before)
    expect(source.read().findings.map(({ message }) => message)).toEqual([`Cannot read ${closed}: permission denied`])
  })
})

describe('files that move under a running source', () => {
  async function started(files: Readonly<Record<string, string>>): Promise<{ folder: string; source: FileSource }> {
    const folder = folderOf(files)
    const source = new FileSource({ paths: [folder] })
    await source.start(() => {})
    return { folder, source }
  }

  it('follows a folder that is renamed, and one that is renamed back', async () => {
    const { folder, source } = await started({ 'team/web.yaml': web('/v1'), 'other.yaml': 'kind: Nothing\n' })
    renameSync(join(folder, 'team'), join(folder, 'crew'))
    await expectSoon(source, ['/v1'])
    writeFileSync(join(folder, 'crew', 'web.yaml'), web('/v2'))
    await expectSoon(source, ['/v2'])
    renameSync(join(folder, 'crew'), join(folder, 'team'))
    writeFileSync(join(folder, 'team', 'web.yaml'), web('/v3'))
    await expectSoon(source, ['/v3'])
    await source.stop()
  })

  it('lets go what is deleted and takes it again when it is put back', async () => {
    const { folder, source } = await started({ 'web.yaml': web('/v1'), 'other.yaml': 'kind: Nothing\n' })
    rmSync(join(folder, 'web.yaml'))
    await expectSoon(source, [])
    writeFileSync(join(folder, 'web.yaml'), web('/v2'))
    await expectSoon(source, ['/v2'])
    await source.stop()
  })

  it('goes on with the last good objects while a file is half written', async () => {
    const { folder, source } = await started({ 'web.yaml': web('/v1') })
    const file = join(folder, 'web.yaml')
    truncateSync(file, web('/v1').indexOf('backendRefs'))
    const until = performance.now() + 2_000
    while (performance.now() < until && source.read().findings.length === 0) await pause(5)
    expect(source.read().findings.map(({ severity }) => severity)).toEqual(['error'])
    expect(paths(source)).toEqual(['/v1'])
    writeFileSync(file, web('/v2'))
    await expectSoon(source, ['/v2'])
    expect(source.read().findings).toEqual([])
    await source.stop()
  })
})
