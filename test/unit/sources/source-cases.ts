/** What every source must do, whatever it reads from: each implementation runs these cases. */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Source } from '../../../src/sources/source.ts'
import { objectKey } from '../../../src/sources/source.ts'
import { routeYaml } from './manifests.ts'

/** The place that a source reads from, as somebody who changes it sees it. */
export interface Place {
  readonly source: Source
  /** Creates or replaces the HTTPRoute of this name with the YAML given. */
  readonly put: (name: string, yaml: string) => Promise<void>
  readonly remove: (name: string) => Promise<void>
}

export type MakePlace = (routes: Readonly<Record<string, string>>) => Promise<Place>

const PATIENCE_MS = 5_000

export function sourceCases(what: string, make: MakePlace): void {
  const started = async (names: readonly string[]) => {
    const place = await make(Object.fromEntries(names.map((name) => [name, routeYaml(name)])))
    const waiting = new Set<() => void>()
    let calls = 0
    onTestFinished(() => place.source.stop())
    await place.source.start(() => {
      calls += 1
      for (const wake of waiting) wake()
    })
    const until = (holds: () => boolean): Promise<void> =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('the source did not say "look again" in time')), PATIENCE_MS)
        const check = (): void => {
          if (!holds()) return
          clearTimeout(timer)
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      })
    const keys = (): string[] => place.source.read().objects.map(objectKey).sort()
    const object = (name: string) => place.source.read().objects.find(({ metadata }) => metadata.name === name)
    const hostname = (name: string): unknown => {
      const found = object(name)
      return found?.kind === 'HTTPRoute' ? found.spec.hostnames[0] : undefined
    }
    return { ...place, until, keys, object, hostname, calls: () => calls }
  }

  describe(`${what}, as every source`, () => {
    it('has everything that was there when start resolves', async () => {
      const { keys } = await started(['a', 'b'])
      expect(keys()).toEqual(['HTTPRoute/default/a', 'HTTPRoute/default/b'])
    })

    it('gives the same list while nothing changes', async () => {
      const { source } = await started(['a'])
      expect(source.read().objects).toBe(source.read().objects)
    })

    it('says "look again" after an object was added, changed and removed', async () => {
      const { put, remove, until, keys, hostname } = await started(['a'])
      await put('b', routeYaml('b'))
      await until(() => keys().includes('HTTPRoute/default/b'))
      await put('b', routeYaml('b', { hostname: 'other.example.com' }))
      await until(() => hostname('b') === 'other.example.com')
      await remove('b')
      await until(() => keys().length === 1)
    })

    it('keeps the identity of objects that did not change', async () => {
      const { put, until, object, hostname } = await started(['a', 'b'])
      const before = object('a')
      await put('b', routeYaml('b', { hostname: 'other.example.com' }))
      await until(() => hostname('b') === 'other.example.com')
      expect(before).toBeDefined()
      expect(object('a')).toBe(before)
    })

    it('keeps the last valid version of an object that became invalid, says why, and follows again once it is mended', async () => {
      const { source, put, until, object, hostname } = await started(['a', 'b'])
      const before = object('a')
      await put('a', routeYaml('a', { path: 'no-slash' }))
      await until(() => source.read().findings.some(({ severity }) => severity === 'error'))
      expect(object('a')).toBe(before)
      expect(source.read().findings.map((finding) => finding.object?.name)).toEqual(['a'])
      await put('b', routeYaml('b', { hostname: 'other.example.com' }))
      await until(() => hostname('b') === 'other.example.com')
      await put('a', routeYaml('a', { hostname: 'mended.example.com' }))
      await until(() => hostname('a') === 'mended.example.com')
      expect(source.read().findings).toEqual([])
    })

    it('never changes an object that it has given away', async () => {
      const { put, until, object, hostname } = await started(['a'])
      const before = object('a')
      const copy = structuredClone(before)
      await put('a', routeYaml('a', { hostname: 'other.example.com' }))
      await until(() => hostname('a') === 'other.example.com')
      expect(before).toEqual(copy)
    })

    it('is silent after stop', async () => {
      const { source, put, calls } = await started(['a'])
      await source.stop()
      const before = calls()
      await put('a', routeYaml('a', { hostname: 'other.example.com' }))
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect(calls()).toBe(before)
    })
  })
}
