import { mkdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EMPTIED_MS, FileStore, REMOVED_MS, SETTLED_MS } from '../../../src/sources/file/file-store.ts'
import { folder } from './folder.ts'
import { routeYaml } from './manifests.ts'

/** Long ago for the file system; the tests' clock counts from here. */
const START = 1_700_000_000_000

const NEW = routeYaml('new')
const NEWER = routeYaml('newer')

function storing() {
  const place = folder({ 'r.yaml': routeYaml('old') })
  const path = join(place.path, 'r.yaml')
  const store = new FileStore([place.path])
  store.readAll()
  /** Writes at a time of the tests' clock. */
  const write = (text: string, at: number): void => {
    place.write('r.yaml', text)
    utimesSync(path, (START + at) / 1_000, (START + at) / 1_000)
  }
  return {
    store,
    place,
    write,
    path,
    remove: () => place.remove('r.yaml'),
    lookAt: (at: number) => store.lookAt(path, START + at),
    settle: (at: number) => store.settle(START + at),
    due: () => store.due && store.due - START,
    text: () => store.files[0]?.text,
  }
}

describe('a file that changed', () => {
  it('is read once it has stood still for 20 ms, counted from its last change', () => {
    const { write, lookAt, settle, due, text } = storing()
    write(NEW, 0)
    expect(lookAt(1)).toBe(false)
    expect(due()).toBe(1 + SETTLED_MS)
    write(NEWER, 15)
    expect(settle(21)).toBe(false)
    expect(due()).toBe(21 + SETTLED_MS)
    expect(settle(30)).toBe(false)
    expect(settle(41)).toBe(true)
    expect(text()).toBe(NEWER)
    expect(due()).toBeUndefined()
  })

  it('is read at once when it has stood still already', () => {
    const { write, lookAt, text } = storing()
    write(NEW, 0)
    expect(lookAt(500)).toBe(true)
    expect(text()).toBe(NEW)
  })

  it('is not in doubt for ever when the clock is set back', () => {
    const { write, lookAt, settle, due } = storing()
    write(NEW, 0)
    lookAt(1)
    expect(settle(-3_600_000)).toBe(false)
    expect(due()).toBe(-3_600_000 + SETTLED_MS)
    expect(settle(-3_600_000 + SETTLED_MS)).toBe(true)
  })
})

describe('a file that became empty', () => {
  it('keeps what it held until a second look 500 ms later', () => {
    const { write, lookAt, settle, due, text } = storing()
    write('\n# nothing yet\n', 0)
    expect(lookAt(100)).toBe(false)
    expect(due()).toBe(100 + EMPTIED_MS)
    expect(settle(100 + EMPTIED_MS - 1)).toBe(false)
    expect(text()).toBe(routeYaml('old'))
    expect(settle(100 + EMPTIED_MS)).toBe(true)
    expect(text()).toBe('\n# nothing yet\n')
  })

  it('is read as any other when it is filled before', () => {
    const { write, lookAt, settle, due, text } = storing()
    write('', 0)
    lookAt(100)
    write(NEW, 200)
    expect(lookAt(201)).toBe(false)
    expect(settle(221)).toBe(true)
    expect(text()).toBe(NEW)
    expect(due()).toBeUndefined()
  })
})

describe('a file that went away', () => {
  it('keeps what it held for a moment, in case it comes back', () => {
    const { remove, write, lookAt, settle, text, store, place } = storing()
    place.write('s.yaml', routeYaml('other'))
    store.readAll()
    remove()
    expect(lookAt(0)).toBe(false)
    expect(settle(REMOVED_MS - 1)).toBe(false)
    expect(text()).toBe(routeYaml('old'))
    write(NEW, 30)
    expect(settle(REMOVED_MS)).toBe(true)
    expect(text()).toBe(NEW)
    remove()
    lookAt(100)
    expect(settle(100 + REMOVED_MS)).toBe(true)
    expect(store.files.map(({ name }) => name)).toEqual(['s.yaml'])
  })
})

describe('a folder that was given', () => {
  function given() {
    const place = folder({ 'in/a.yaml': routeYaml('a'), 'in/b.yaml': routeYaml('b') })
    const store = new FileStore([join(place.path, 'in')])
    store.readAll()
    return { place, store, names: () => store.files.map(({ name }) => name).sort() }
  }

  it('keeps what it held while it is away, also what was missed before it went, and says so after a moment', () => {
    const { place, store, names } = given()
    place.remove('in/a.yaml')
    expect(store.lookAt(join(place.path, 'in', 'a.yaml'), START)).toBe(false)
    place.remove('in')
    expect(store.settle(START + REMOVED_MS)).toBe(false)
    expect(store.problems).toEqual([])
    expect(store.due).toBe(START + 2 * REMOVED_MS)
    expect(store.settle(START + 2 * REMOVED_MS)).toBe(true)
    expect(store.problems).toMatchObject([{ code: 'no-such-path' }])
    expect(store.due).toBeUndefined()
    expect(names()).toEqual(['a.yaml', 'b.yaml'])
  })

  it('keeps for 500 ms what is not in the one that took its place, counted from when that was empty and from its first file', () => {
    const { place, store, names } = given()
    place.remove('in')
    mkdirSync(join(place.path, 'in'))
    expect(store.look(START)).toBe(false)
    expect(store.settle(START + EMPTIED_MS - 1)).toBe(false)
    place.write('in/b.yaml', routeYaml('b', { hostname: 'new.example.com' }))
    utimesSync(join(place.path, 'in', 'b.yaml'), START / 1_000, START / 1_000)
    expect(store.look(START + EMPTIED_MS - 1)).toBe(true)
    expect(names()).toEqual(['a.yaml', 'b.yaml'])
    expect(store.settle(START + 2 * EMPTIED_MS - 2)).toBe(false)
    expect(store.settle(START + 2 * EMPTIED_MS - 1)).toBe(true)
    expect(names()).toEqual(['b.yaml'])
    expect(store.due).toBeUndefined()
  })

  it('lets go all that it held once it has been empty for 500 ms', () => {
    const { place, store, names } = given()
    place.remove('in/a.yaml')
    place.remove('in/b.yaml')
    expect(store.look(START)).toBe(false)
    expect(store.settle(START + REMOVED_MS)).toBe(false)
    expect(store.settle(START + EMPTIED_MS)).toBe(true)
    expect(names()).toEqual([])
  })
})

describe('a look at everything', () => {
  it('finds what is new, in the order of names, and says when nothing is', () => {
    const place = folder({ 'b.yaml': routeYaml('b') })
    const store = new FileStore([place.path])
    store.readAll()
    const later = Date.now() + 1_000
    expect(store.look(later)).toBe(false)
    place.write('a.yaml', routeYaml('a'))
    expect(store.look(later)).toBe(true)
    expect(store.files.map(({ name }) => name)).toEqual(['a.yaml', 'b.yaml'])
    expect(store.look(later)).toBe(false)
  })

  it('keeps the files of a path that cannot be seen', () => {
    const place = folder({ 'in/a.yaml': routeYaml('a') })
    const store = new FileStore([join(place.path, 'in')])
    store.readAll()
    place.remove('in')
    expect(store.look(Date.now())).toBe(false)
    expect(store.look(Date.now() + 10_000)).toBe(true)
    expect(store.look(Date.now() + 20_000)).toBe(false)
    expect(store.files).toHaveLength(1)
    expect(store.problems).toMatchObject([{ code: 'no-such-path' }])
  })
})
