import { existsSync, mkdirSync, renameSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FileSource } from '../../../src/sources/file/file-source.ts'
import type { FileSourceOptions } from '../../../src/sources/file/file-source.ts'
import { folder } from '../../unit/sources/folder.ts'
import { routeYaml } from '../../unit/sources/manifests.ts'
import { sourceCases } from '../../unit/sources/source-cases.ts'

for (const watch of ['auto', 'poll'] as const) {
  sourceCases(watch === 'auto' ? 'a folder with notifications' : 'a folder that is polled', async (routes) => {
    const place = folder(Object.fromEntries(Object.entries(routes).map(([name, yaml]) => [`${name}.yaml`, yaml])))
    return {
      source: new FileSource({ paths: [place.path], watch, pollMs: 100 }),
      put: async (name, yaml) => void place.write(`${name}.yaml`, yaml),
      remove: async (name) => place.remove(`${name}.yaml`),
    }
  })
}

/** A started source, and what to wait with. */
async function follow(options: FileSourceOptions) {
  const source = new FileSource(options)
  onTestFinished(() => source.stop())
  let wake = (): void => {}
  await source.start(() => wake())
  const hostnames = (): string[] =>
    source
      .read()
      .objects.flatMap((object) => (object.kind === 'HTTPRoute' ? object.spec.hostnames : []))
      .sort()
  /** Milliseconds until the hostnames are these. */
  const until = (expected: readonly string[], patience = 5_000): Promise<number> => {
    const began = performance.now()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited for ${expected.join()}, got ${hostnames().join()}`)), patience)
      wake = () => {
        if (hostnames().join() !== expected.join()) return
        clearTimeout(timer)
        resolve(performance.now() - began)
      }
      wake()
    })
  }
  const quiet = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
  return { source, hostnames, until, quiet }
}

describe('following files', () => {
  it('sees 95 of 100 saves within 100 ms, half of them by atomic replacement', async () => {
    const place = folder({ 'a/b/r.yaml': routeYaml('r') })
    const { until } = await follow({ paths: [place.path] })
    const times: number[] = []
    for (let save = 0; save < 100; save++) {
      const yaml = routeYaml('r', { hostname: `v${save}.example.com` })
      if (save % 2 === 0) place.write('a/b/r.yaml', yaml)
      else place.replace('a/b/r.yaml', yaml)
      times.push(await until([`v${save}.example.com`]))
    }
    times.sort((a, b) => a - b)
    expect(times[94]).toBeLessThan(100)
  })

  it('waits until a file has stood still, so that half a save is never read', async () => {
    const whole = routeYaml('r', { hostname: 'new.example.com' }) + `---\n${routeYaml('s', { hostname: 'more.example.com' })}`
    const place = folder({ 'r.yaml': routeYaml('r', { hostname: 'old.example.com' }) })
    const { source, until, hostnames } = await follow({ paths: [place.path] })
    // On a busy machine a pause between two writes may last as long as standing still does: such a save says nothing.
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const seen = new Set<string>()
      let longestPause = 0
      for (let length = 40; length < whole.length + 40; length += 40) {
        place.write('r.yaml', whole.slice(0, length))
        source.read()
        seen.add(hostnames().join())
        const paused = performance.now()
        await new Promise((resolve) => setTimeout(resolve, 3))
        longestPause = Math.max(longestPause, performance.now() - paused)
      }
      await until(['more.example.com', 'new.example.com'])
      if (longestPause < 15) {
        expect([...seen]).toEqual(['old.example.com'])
        return
      }
      place.write('r.yaml', routeYaml('r', { hostname: 'old.example.com' }))
      await until(['old.example.com'])
    }
    expect.fail('no save of 20 went undisturbed')
  })

  it('keeps the objects of a file that became empty until a second look half a second later', async () => {
    const place = folder({ 'r.yaml': routeYaml('r') })
    const { until, hostnames, quiet } = await follow({ paths: [place.path] })
    place.write('r.yaml', '')
    await quiet(300)
    expect(hostnames()).toEqual(['r.example.com'])
    expect(await until([])).toBeLessThan(2_000)
  })

  it('never shows an object gone when an editor moves the old file away before it writes the new one', async () => {
    const place = folder({ 'r.yaml': routeYaml('r') })
    const { until, hostnames, quiet } = await follow({ paths: [place.path] })
    renameSync(join(place.path, 'r.yaml'), join(place.path, 'r.yaml~'))
    await quiet(30)
    expect(hostnames()).toEqual(['r.example.com'])
    place.write('r.yaml', routeYaml('r', { hostname: 'new.example.com' }))
    await until(['new.example.com'])
  })

  it('follows new folders with what was in them from the start, and folders that go', async () => {
    const place = folder({ 'r.yaml': routeYaml('r') })
    const { until } = await follow({ paths: [place.path] })
    place.write('x/y/s.yaml', routeYaml('s'))
    await until(['r.example.com', 's.example.com'])
    place.write('x/y/t.yaml', routeYaml('t'))
    await until(['r.example.com', 's.example.com', 't.example.com'])
    place.remove('x')
    await until(['r.example.com'])
  })

  it('follows a mounted ConfigMap, whose files change by one symbolic link', async () => {
    const place = folder()
    const version = (name: string, hostname: string): void => {
      place.write(`..${name}/r.yaml`, routeYaml('r', { hostname }))
      symlinkSync(`..${name}`, join(place.path, '..data_tmp'))
      renameSync(join(place.path, '..data_tmp'), join(place.path, '..data'))
    }
    version('1', 'one.example.com')
    symlinkSync('..data/r.yaml', join(place.path, 'r.yaml'))
    const { until } = await follow({ paths: [place.path] })
    await until(['one.example.com'])
    version('2', 'two.example.com')
    expect(await until(['two.example.com'])).toBeLessThan(900)
  })

  it('follows a mounted ConfigMap with folders in it and new keys, read through a link of its own and polled or not', async () => {
    for (const watch of ['auto', 'poll'] as const) {
      const place = folder()
      const mount = join(place.path, 'mount')
      // As the kubelet does it: the files, then the link, then links for new keys, then the old files go.
      const version = (name: string, hostnames: Readonly<Record<string, string>>): void => {
        for (const [key, hostname] of Object.entries(hostnames)) {
          place.write(`mount/..${name}/${key}.yaml`, routeYaml(key, { hostname }))
          place.write(`mount/..${name}/sub/${key}.yaml`, routeYaml(`sub-${key}`, { hostname: `sub.${hostname}` }))
        }
        symlinkSync(`..${name}`, join(mount, '..data_tmp'))
        renameSync(join(mount, '..data_tmp'), join(mount, '..data'))
        for (const key of [...Object.keys(hostnames).map((one) => `${one}.yaml`), 'sub'])
          if (!existsSync(join(mount, key))) symlinkSync(join('..data', key), join(mount, key))
      }
      version('1', { a: 'one.example.com' })
      symlinkSync('mount', join(place.path, 'config'))
      const { source, until, quiet } = await follow({ paths: [join(place.path, 'config'), mount], watch, pollMs: 100 })
      await until(['one.example.com', 'sub.one.example.com'])
      version('2', { a: 'two.example.com' })
      place.remove('mount/..1')
      expect(await until(['sub.two.example.com', 'two.example.com'])).toBeLessThan(900)
      version('3', { a: 'three.example.com', b: 'more.example.com' })
      place.remove('mount/..2')
      await until(['more.example.com', 'sub.more.example.com', 'sub.three.example.com', 'three.example.com'])
      expect(source.read().findings).toEqual([])
      await quiet(150)
      expect(source.read().findings).toEqual([])
    }
  })

  it('follows a folder by the link that leads to it now', async () => {
    const place = folder({ 'releases/1/r.yaml': routeYaml('r', { hostname: 'one.example.com' }) })
    place.write('releases/2/r.yaml', routeYaml('r', { hostname: 'two.example.com' }))
    const point = (to: string): void => {
      symlinkSync(`../releases/${to}`, join(place.path, 'in', 'next'))
      renameSync(join(place.path, 'in', 'next'), join(place.path, 'in', 'current'))
    }
    mkdirSync(join(place.path, 'in'))
    point('1')
    const { until } = await follow({ paths: [join(place.path, 'in')] })
    await until(['one.example.com'])
    point('2')
    await until(['two.example.com'])
    place.write('releases/2/r.yaml', routeYaml('r', { hostname: 'three.example.com' }))
    expect(await until(['three.example.com'])).toBeLessThan(900)
  })

  it('follows a single file through writes, replacements and a link elsewhere', async () => {
    const place = folder({ 'r.yaml': routeYaml('r', { hostname: 'v0.example.com' }), 'noise.yaml': routeYaml('noise') })
    symlinkSync('r.yaml', join(place.path, 'link.yaml'))
    for (const name of ['r.yaml', 'link.yaml']) {
      const { until } = await follow({ paths: [join(place.path, name)] })
      for (const save of [1, 2, 3, 4]) {
        const yaml = routeYaml('r', { hostname: `${name}${save}.example.com` })
        if (save === 3 && name === 'r.yaml') place.replace('r.yaml', yaml)
        else place.write('r.yaml', yaml)
        expect(await until([`${name}${save}.example.com`])).toBeLessThan(900)
      }
    }
  })

  it('keeps what it has while a path is away, says so, and goes on when it is back', async () => {
    const place = folder({ 'in/r.yaml': routeYaml('r') })
    const { source, until, hostnames, quiet } = await follow({ paths: [join(place.path, 'in')], watch: 'poll', pollMs: 100 })
    renameSync(join(place.path, 'in'), join(place.path, 'out'))
    await quiet(300)
    expect(hostnames()).toEqual(['r.example.com'])
    expect(source.read().findings.map(({ code }) => code)).toEqual(['no-such-path'])
    mkdirSync(join(place.path, 'in'))
    place.write('in/r.yaml', routeYaml('r', { hostname: 'back.example.com' }))
    await until(['back.example.com'])
    expect(source.read().findings).toEqual([])
  })

  describe('a path that is given and replaced as a whole', () => {
    const one = routeYaml('r', { hostname: 'one.example.com' })
    const two = routeYaml('r', { hostname: 'two.example.com' })
    /** Much less than the time of the sweep; by notification it takes some 30 ms. */
    const soon = 900

    it('is followed when it is a link: set anew, moved over, or what it leads to replaced', async () => {
      const place = folder({ 'v/1/r.yaml': one, 'v/2/r.yaml': two })
      const link = join(place.path, 'in', 'current')
      const point = (to: string): void => {
        symlinkSync(to, `${link}.new`)
        renameSync(`${link}.new`, link)
      }
      mkdirSync(join(place.path, 'in'))
      point('../v/1')
      const { until } = await follow({ paths: [link] })
      await until(['one.example.com'])
      unlinkSync(link)
      symlinkSync('../v/2', link)
      expect(await until(['two.example.com'])).toBeLessThan(soon)
      point('../v/1')
      expect(await until(['one.example.com'])).toBeLessThan(soon)
      renameSync(join(place.path, 'v', '1'), join(place.path, 'v', 'old'))
      place.write('v/1/r.yaml', two)
      expect(await until(['two.example.com'])).toBeLessThan(soon)
      place.write('v/1/r.yaml', one)
      expect(await until(['one.example.com'])).toBeLessThan(soon)
    })

    it('is followed within 100 ms by notification', async () => {
      const place = folder({ '1/r.yaml': one, '2/r.yaml': two })
      const link = join(place.path, 'current')
      symlinkSync('1', link)
      const { until, quiet } = await follow({ paths: [link] })
      const times: number[] = []
      for (let turn = 0; turn < 11; turn += 1) {
        await quiet(50)
        symlinkSync(turn % 2 === 0 ? '2' : '1', `${link}.new`)
        renameSync(`${link}.new`, link)
        times.push(await until([turn % 2 === 0 ? 'two.example.com' : 'one.example.com']))
      }
      times.sort((a, b) => a - b)
      expect(times[5]).toBeLessThan(70)
    })

    it('is followed when a link further up leads elsewhere', async () => {
      const place = folder({ 'v/1/all/r.yaml': one, 'v/2/all/r.yaml': two })
      const link = join(place.path, 'current')
      symlinkSync('v/1', link)
      const { until } = await follow({ paths: [join(link, 'all')] })
      await until(['one.example.com'])
      symlinkSync('v/2', `${link}.new`)
      renameSync(`${link}.new`, link)
      expect(await until(['two.example.com'])).toBeLessThan(soon)
      place.write('v/2/all/r.yaml', one)
      expect(await until(['one.example.com'])).toBeLessThan(soon)
    })

    it('is followed when it is a folder, and a file; nothing is taken down between', async () => {
      for (const name of ['dir', 'dir/r.yaml']) {
        const place = folder({ 'dir/r.yaml': one, 'dir/s.yaml': routeYaml('s') })
        const { source, until, quiet } = await follow({ paths: [join(place.path, name)] })
        const seen = new Set<string>()
        const watching = setInterval(() => seen.add(`${source.read().objects.length}`), 1)
        const others = name === 'dir' ? ['s.example.com'] : []
        const replace = (text: string): void => {
          place.write('dir/r.yaml', text)
          place.write('dir/s.yaml', routeYaml('s'))
        }
        await until(['one.example.com', ...others])
        renameSync(join(place.path, 'dir'), join(place.path, 'old'))
        replace(two)
        expect(await until(['two.example.com', ...others].sort())).toBeLessThan(soon)
        place.remove('dir')
        await quiet(200)
        mkdirSync(join(place.path, 'dir'))
        await quiet(300)
        replace(one)
        expect(await until(['one.example.com', ...others])).toBeLessThan(soon)
        replace(two)
        expect(await until(['two.example.com', ...others].sort())).toBeLessThan(soon)
        clearInterval(watching)
        expect([...seen]).toEqual([`${others.length + 1}`])
        expect(source.read().findings).toEqual([])
      }
    })
  })

  it('does not read a file again because others changed', async () => {
    const place = folder({ 'a.yaml': routeYaml('a'), 'b.yaml': routeYaml('b') })
    const { source, until } = await follow({ paths: [place.path] })
    const [before] = source.read().objects
    place.write('b.yaml', routeYaml('b', { hostname: 'new.example.com' }))
    await until(['a.example.com', 'new.example.com'])
    expect(source.read().objects[0]).toBe(before)
  })
})
