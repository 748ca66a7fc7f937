import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readOnce } from '../../../src/sources/file/read-once.ts'
import { folder } from './folder.ts'
import { routeYaml } from './manifests.ts'

const ROUTE = { kind: 'HTTPRoute', namespace: 'default', name: 'b' }

describe('where a path of an object stands', () => {
  const text = `# first\n${routeYaml('a')}---\n${routeYaml('b')}`
  const place = () => folder({ 'r.yaml': text })

  it('is the value of a scalar, the key of what holds others, and the nearest holder of what is not there', () => {
    const { path } = place()
    const { locate } = readOnce({ paths: [path] })
    const at = (...way: (string | number)[]) => {
      const { line, column } = locate(ROUTE, way) ?? { line: 0, column: 0 }
      return text.split('\n')[line - 1]?.slice(column - 1)
    }
    expect(at('spec', 'rules', 0, 'matches', 0, 'path', 'value')).toBe('/')
    expect(at('spec', 'rules', 0, 'backendRefs')).toBe('backendRefs:')
    expect(at('spec', 'hostnames', 0)).toBe('b.example.com')
    expect(at('spec', 'rules', 0, 'backendRefs', 0, 'weight')).toBe('name: b')
    expect(at('spec', 'nothing', 'at', 'all')).toBe('spec:')
    expect(at('metadata', 'name')).toBe('b')
    expect(locate(ROUTE)).toEqual({ file: join(path, 'r.yaml'), line: text.split('\n').indexOf('---') + 2, column: 1 })
    expect(locate({ ...ROUTE, name: 'c' })).toBeUndefined()
  })

  it('is right in lists, in JSON, and behind variables on the same line', () => {
    const list = { apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } }] }
    const { path } = folder({
      'list.json': JSON.stringify(list, null, 1),
      'r.yaml': routeYaml('b').replace('- b.example.com', '[ "${A:=a.example.com}", "b.example.com" ]'),
    })
    const { locate } = readOnce({ paths: [path] })
    expect(locate({ kind: 'Namespace', namespace: '', name: 'x' }, ['metadata', 'name'])).toMatchObject({ line: 9, column: 13 })
    expect(locate(ROUTE, ['spec', 'hostnames', 0])).toMatchObject({ line: 9, column: 7 })
    expect(locate(ROUTE, ['spec', 'hostnames', 1])).toMatchObject({ line: 9, column: 30 })
  })

  it('comes with every finding about an object, with the message of the schema', () => {
    const { path } = folder({ 'r.yaml': `${routeYaml('a')}---\n${routeYaml('b', { path: 'no-slash' })}` })
    const { findings, objects } = readOnce({ paths: [path] })
    expect(objects).toHaveLength(1)
    expect(findings).toMatchObject([
      {
        severity: 'error',
        object: ROUTE,
        path: ['spec', 'rules', 0, 'matches', 0, 'path', 'value'],
        at: { file: join(path, 'r.yaml'), line: 32, column: 20 },
      },
    ])
  })

  it('comes with text that is no YAML, and the other documents of the file are read', () => {
    const { path } = folder({ 'r.yaml': `${routeYaml('a')}---\n${routeYaml('b').replace('spec:', 'spec: [')}---\n${routeYaml('c')}` })
    const { findings, objects } = readOnce({ paths: [path] })
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['a', 'c'])
    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatchObject({ code: 'yaml-syntax', severity: 'error', at: { file: join(path, 'r.yaml') } })
    expect(findings[0]?.at?.line).toBeGreaterThan(20)
  })
})
