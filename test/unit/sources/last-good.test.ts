import { describe, expect, it } from 'vitest'
import { Assembler } from '../../../src/sources/file/assembly.ts'
import type { AssemblyOptions } from '../../../src/sources/file/assembly.ts'
import { sourceFile } from '../../../src/sources/file/source-file.ts'
import type { SourceFile } from '../../../src/sources/file/source-file.ts'
import { configMapYaml, gatewayYaml, routeYaml } from './manifests.ts'

/** Files that are edited, and what each state of them gives. */
function editing(files: Readonly<Record<string, string>>, options: AssemblyOptions = {}) {
  const assembler = new Assembler(options)
  const held = new Map<string, SourceFile>()
  return (edits: Readonly<Record<string, string>> = {}) => {
    for (const [name, text] of Object.entries(held.size === 0 ? files : edits)) held.set(name, sourceFile(name, '.', text, held.get(name)))
    const read = assembler.assemble([...held.values()])
    const named = (name: string) => read.objects.find(({ metadata }) => metadata.name === name)
    return { ...read, named, names: read.objects.map(({ metadata }) => metadata.name) }
  }
}

const three = `${routeYaml('a')}---\n${routeYaml('b')}---\n${gatewayYaml('front')}`

describe('what a file gave last', () => {
  it('stays for the document that broke, while the others of the file are followed', () => {
    const edit = editing({ 'all.yaml': three })
    const before = edit()
    const broken = three.replace('name: b\n', 'name: b: c\n').replace('a.example.com', 'new.example.com')
    const after = edit({ 'all.yaml': broken })
    expect(after.named('a')).toMatchObject({ spec: { hostnames: ['new.example.com'] } })
    expect(after.named('b')).toBe(before.named('b'))
    expect(after.named('front')).toBe(before.named('front'))
    expect(after.findings).toMatchObject([{ code: 'yaml-syntax' }])
    const mended = edit({ 'all.yaml': routeYaml('a') })
    expect(mended.names).toEqual(['a'])
    expect(mended.findings).toEqual([])
  })

  it('stays when the line that says what a document is breaks', () => {
    const edit = editing({ 'r.yaml': routeYaml('r') })
    const before = edit().named('r')
    for (const text of [
      routeYaml('r').replace('kind: ', 'kind '),
      routeYaml('r').replace('kind: HTTPRoute\n', ''),
      routeYaml('r').replace('apiVersion: ', 'apiVersion '),
    ]) {
      const after = edit({ 'r.yaml': text })
      expect(after.named('r')).toBe(before)
      expect(after.findings.map(({ severity }) => severity)).toEqual(['error'])
    }
  })

  it('stays for an object that a schema refuses, through several refused versions', () => {
    const edit = editing({ 'all.yaml': three })
    const before = edit().named('a')
    for (const path of ['bad', 'worse']) {
      const after = edit({ 'all.yaml': three.replace('value: /', `value: ${path}`) })
      expect(after.named('a')).toBe(before)
      expect(after.findings).toHaveLength(1)
      expect(after.findings[0]?.message).toMatch(/; its last valid version stays in use$/)
    }
  })

  it('is said to stay only where something was held', () => {
    const broken = `${routeYaml('a')}---\nkind: HTTPRoute\n broken: [\n---\n${routeYaml('b', { path: 'bad' })}`
    const edit = editing({ 'all.yaml': broken })
    const said = (findings: readonly { message: string }[]) => findings.map(({ message }) => message.endsWith('stays in use'))
    expect(said(edit().findings)).toEqual([false, false])
    // What is good in the file now is not what it held before.
    expect(said(edit({ 'all.yaml': `${broken}\n` }).findings)).toEqual([false, false])
    edit({ 'all.yaml': `${routeYaml('a')}---\n${routeYaml('b')}` })
    expect(said(edit({ 'all.yaml': broken }).findings)).toEqual([false, true])
    expect(said(edit({ 'all.yaml': 'kind: HTTPRoute\n broken: [\n' }).findings)).toEqual([true])
  })

  it('does not bring back what was removed', () => {
    const edit = editing({ 'all.yaml': three })
    edit()
    edit({ 'all.yaml': routeYaml('a') })
    expect(edit({ 'all.yaml': `${routeYaml('a')}---\n${routeYaml('b', { path: 'bad' })}` }).names).toEqual(['a'])
  })

  it('stays while a file is a template', () => {
    const edit = editing({ 'r.yaml': routeYaml('r') })
    const before = edit().named('r')
    expect(edit({ 'r.yaml': routeYaml('r').replace('name: r', 'name: {{ .Release.Name }}') }).named('r')).toBe(before)
  })
})

describe('what a broken file said about others', () => {
  it('still holds: the namespace of a kustomization, the values of a ConfigMap', () => {
    const edit = editing(
      {
        'kustomization.yaml': 'namespace: one\n',
        'vars.yaml': configMapYaml('v', { D: 'one.org' }),
        'r.yaml': routeYaml('r', { hostname: '${D}' }),
      },
      { unknownVariables: 'localhost' },
    )
    const before = edit().named('r')
    expect(edit({ 'kustomization.yaml': 'namespace: [one\n' }).named('r')).toBe(before)
    const broken = edit({ 'vars.yaml': configMapYaml('v', { D: 'one.org' }).replace('data:', 'data: [') })
    expect(broken.named('r')).toBe(before)
    expect(broken.findings.map(({ code }) => code)).toEqual(['yaml-syntax', 'yaml-syntax'])
    expect(edit({ 'vars.yaml': configMapYaml('v', { D: 'two.org' }) }).named('r')).toMatchObject({ spec: { hostnames: ['two.org'] } })
  })
})

describe('the identity of an object', () => {
  it('stays when its file changes around it', () => {
    const edit = editing({ 'all.yaml': three })
    const before = edit()
    const after = edit({ 'all.yaml': `# moved\n${three.replace('b.example.com', 'new.example.com')}` })
    expect(after.named('a')).toBe(before.named('a'))
    expect(after.named('front')).toBe(before.named('front'))
    expect(after.named('b')).not.toBe(before.named('b'))
    expect(after.locate({ kind: 'HTTPRoute', namespace: 'default', name: 'a' })).toMatchObject({ line: 2 })
  })

  it('stays when its text changes and its meaning does not', () => {
    const edit = editing({ 'all.yaml': three })
    const before = edit()
    const after = edit({
      'all.yaml': three.replaceAll('name: front', 'name: "front" # the shared one').replaceAll('port: 80', 'port: 0x50'),
    })
    expect(after.objects).toBe(before.objects)
  })

  it('ends when what surrounds it means something else', () => {
    const edit = editing({
      'kustomization.yaml': 'namespace: one\n',
      'vars.yaml': configMapYaml('v', { D: 'one.org' }),
      'r.yaml': routeYaml('r', { hostname: '${D}' }),
    })
    const before = edit()
    expect(before.named('r')).toMatchObject({ metadata: { namespace: 'one' }, spec: { hostnames: ['one.org'] } })
    expect(edit({ 'kustomization.yaml': 'namespace: two\n' }).named('r')).toMatchObject({ metadata: { namespace: 'two' } })
    expect(edit({ 'vars.yaml': configMapYaml('v', { D: 'two.org' }) }).named('r')).toMatchObject({ spec: { hostnames: ['two.org'] } })
  })
})
