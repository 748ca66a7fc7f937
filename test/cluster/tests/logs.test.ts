import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, openScene, readyPod, scriptPod } from './scene.ts'
import type { Scene } from './scene.ts'

const script = 'let n = 0; setInterval(() => console.log("line " + n++), 100)'

describe("a pod's log, through the API server", () => {
  let scene: Scene
  let path: string
  beforeAll(async () => {
    scene = await openScene()
    path = `/api/v1/namespaces/${scene.namespace}/pods/counts/log`
    await scene.apply(scriptPod('counts', script))
    await readyPod(scene, 'counts')
    await eventually(async () => (await scene.api.text(path)).includes('line 5'), 'some lines')
  })
  afterAll(() => scene.remove())

  it('has all that was written', async () => {
    expect(await scene.api.text(path)).toMatch(/^line 0\nline 1\nline 2\n/)
  })

  it('can be cut to its last lines', async () => {
    expect(await scene.api.text(`${path}?tailLines=2`)).toMatch(/^line \d+\nline \d+\n$/)
  })

  it('can begin at a time', async () => {
    await delay(1_100)
    // The API takes whole seconds.
    const since = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    await delay(300)
    const lines = (await scene.api.text(`${path}?timestamps=true&sinceTime=${since}`)).trim().split('\n')
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(Date.parse(line.split(' ')[0] ?? '')).toBeGreaterThanOrEqual(Date.parse(since))
    expect(lines[0]).not.toContain('line 0')
  })

  it('can be followed to the end', async () => {
    const following = scene.cluster.exec([scene.cluster.binaries.kubectl, 'logs', '-n', scene.namespace, 'counts', '-f', '--tail=1'])
    await delay(500)
    await scene.api.delete(`/api/v1/namespaces/${scene.namespace}/pods/counts`)
    const { stdout } = await following
    expect(stdout.trim().split('\n').length).toBeGreaterThan(2)
  })
})
