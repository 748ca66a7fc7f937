import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { http } from './exchange.ts'
import { configMap, echoPod, eventually, isReady, openScene, readyPod, scriptPod } from './scene.ts'
import type { Scene } from './scene.ts'

/** Numbers of processes that have a word in their environment. */
function processesWith(word: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(word)
      } catch {
        return false
      }
    })
    .map(Number)
}

const stay = 'setInterval(() => {}, 1000)'

describe('a pod', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene()
  })
  afterAll(() => scene.remove())

  const path = (name: string): string => `/api/v1/namespaces/${scene.namespace}/pods/${name}`
  const logOf = (name: string): Promise<string> => scene.api.text(`${path(name)}/log`)
  const networks = async () => (await scene.cluster.exec(['ip', 'netns'])).stdout.split('\n').map((line) => line.split(' ')[0])
  const statusOf = async (name: string) => (await scene.pod(name)).status.containerStatuses?.[0]

  it('has an address of its own, and listens on a low port without being root', async () => {
    await scene.apply(echoPod('low', { HTTP_PORT: '80' }))
    const { status } = await readyPod(scene, 'low')
    const { body } = await eventually(() => http(status.podIP ?? '', 80), 'an answer on port 80')
    expect(JSON.parse(body)).toMatchObject({ pod: 'low' })
    const [pid] = processesWith('POD_NAME=low')
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m)
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^CapEff:\t0+$/m)
  })

  it('goes when it is deleted, with its process and its network', async () => {
    const { status } = await readyPod(scene, 'low')
    const [pid] = processesWith('POD_NAME=low')
    const network = (await scene.cluster.exec(['ip', 'netns', 'identify', String(pid)])).stdout.trim()
    expect(await networks()).toContain(network)
    await scene.api.delete(path('low'))
    await eventually(
      () =>
        scene.pod('low').then(
          () => false as const,
          () => true,
        ),
      'the end of the object',
    )
    expect(processesWith('POD_NAME=low')).toEqual([])
    expect(await networks()).not.toContain(network)
    await expect(http(status.podIP ?? '', 80)).rejects.toThrow()
  })

  it('is told by SIGTERM, and has its grace period', async () => {
    const script = `process.on('SIGTERM', () => { console.log('told'); setTimeout(() => process.exit(0), 700) }); ${stay}; console.log('runs')`
    await scene.apply(scriptPod('graceful', script, { pod: { terminationGracePeriodSeconds: 20 } }))
    await eventually(async () => (await logOf('graceful')).includes('runs'), 'the program')
    const began = performance.now()
    await scene.api.delete(path('graceful'))
    await eventually(async () => (await logOf('graceful')).includes('told'), 'SIGTERM')
    await eventually(
      () =>
        scene.pod('graceful').then(
          () => false as const,
          () => true,
        ),
      'the end of the object',
    )
    expect(performance.now() - began).toBeGreaterThan(650)
    expect(performance.now() - began).toBeLessThan(15_000)
  })

  it('is killed when its grace period is over', async () => {
    const script = `process.on('SIGTERM', () => {}); ${stay}; console.log('runs')`
    await scene.apply(scriptPod('deaf', script, { pod: { terminationGracePeriodSeconds: 1 } }))
    await eventually(async () => (await logOf('deaf')).includes('runs'), 'the program')
    const began = performance.now()
    await scene.api.delete(path('deaf'))
    await eventually(
      () =>
        scene.pod('deaf').then(
          () => false as const,
          () => true,
        ),
      'the end of the object',
    )
    expect(performance.now() - began).toBeGreaterThan(950)
  })

  it('starts again when its program ends, at once and then with pauses', async () => {
    await scene.apply(scriptPod('ends', 'console.log("again"); process.exit(3)'))
    await eventually(async () => ((await statusOf('ends'))?.restartCount ?? 0) >= 2, 'two restarts')
    await eventually(async () => (await statusOf('ends'))?.state.waiting?.reason === 'CrashLoopBackOff', 'back-off')
    expect(await scene.api.get(path('ends'))).toMatchObject({
      status: { containerStatuses: [{ lastState: { terminated: { exitCode: 3, reason: 'Error' } } }] },
    })
    expect(await scene.api.text(`${path('ends')}/log?previous=true`)).toBe('again\n')
  })

  it('of an unknown image says so', async () => {
    await scene.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'unknown' },
      spec: { containers: [{ name: 'one', image: 'example.com/nobody/knows:1' }] },
    })
    await eventually(async () => (await statusOf('unknown'))?.state.waiting?.reason === 'ErrImagePull', 'ErrImagePull')
    expect((await scene.pod('unknown')).status.phase).toBe('Pending')
  })

  it('is ready when its probe says so, and not ready any more when it does not', async () => {
    const script = `
      import { createServer } from 'node:http'
      let healthy = true
      createServer((request, response) => {
        if (request.url === '/sicken') healthy = false
        response.writeHead(healthy ? 200 : 500).end()
      }).listen(8080)`
    const readinessProbe = { httpGet: { path: '/ready', port: 'health' }, periodSeconds: 1, failureThreshold: 1 }
    const ports = [{ name: 'health', containerPort: 8080 }]
    await scene.apply(scriptPod('probed', script, { container: { readinessProbe, ports } }))
    const { status } = await readyPod(scene, 'probed')
    await http(status.podIP ?? '', 8080, '/sicken')
    await eventually(async () => !isReady(await scene.pod('probed')), 'not Ready')
  })

  it('starts again when its liveness probe fails', async () => {
    const livenessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 1 }
    await scene.apply(scriptPod('not-alive', stay, { container: { livenessProbe } }))
    await eventually(async () => ((await statusOf('not-alive'))?.restartCount ?? 0) >= 1, 'a restart')
  })

  it('sees fields, Secrets and ConfigMaps in its environment and arguments', async () => {
    await scene.apply(
      configMap('plain', { colour: 'green' }),
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'hidden' }, stringData: { word: 'open sesame' } },
      scriptPod(
        'environment',
        'console.log(JSON.stringify([process.env.NAME, process.env.IP, process.env.WORD, process.env.colour, process.argv.at(-1)]))',
        {
          container: {
            args: ['--', 'on $(NODE)'],
            envFrom: [{ configMapRef: { name: 'plain' } }],
            env: [
              { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
              { name: 'WORD', valueFrom: { secretKeyRef: { name: 'hidden', key: 'word' } } },
            ],
          },
        },
      ),
    )
    const line = await eventually(async () => /^.+$/m.exec(await logOf('environment'))?.[0], 'a line')
    expect(JSON.parse(line)).toEqual(['environment', (await scene.pod('environment')).status.podIP, 'open sesame', 'green', 'on box'])
  })

  it('sees its volumes, and what changes in them', async () => {
    const script = `
      import { readFileSync, writeFileSync } from 'node:fs'
      writeFileSync('/scratch/file', 'written')
      let last
      setInterval(() => {
        const now = readFileSync('/settings/colour', 'utf8') + ' ' + readFileSync('/scratch/file', 'utf8')
        if (now !== last) console.log(now)
        last = now
      }, 50)
      try { writeFileSync('/app/x', '') } catch (error) { console.log(error.code) }`
    const pod = {
      volumes: [
        { name: 'settings', configMap: { name: 'settings' } },
        { name: 'scratch', emptyDir: { medium: 'Memory' } },
      ],
    }
    const volumeMounts = [
      { name: 'settings', mountPath: '/settings' },
      { name: 'scratch', mountPath: '/scratch' },
    ]
    await scene.apply(scriptPod('mounts', script, { pod, container: { volumeMounts, securityContext: { readOnlyRootFilesystem: true } } }))
    await eventually(
      async () => (await statusOf('mounts'))?.state.waiting?.message === 'MountVolume.SetUp failed: configmap "settings" not found',
      'a word about the missing ConfigMap',
    )
    await scene.apply(configMap('settings', { colour: 'red' }))
    await eventually(async () => (await logOf('mounts')).includes('red written'), 'the first content')
    expect(await logOf('mounts')).toMatch(/EROFS|EACCES/)
    await scene.apply(configMap('settings', { colour: 'blue' }))
    await eventually(async () => (await logOf('mounts')).includes('blue written'), 'the new content')
  })

  it('has a token with which the API server knows it', async () => {
    const script = `
      import { readFileSync } from 'node:fs'
      import { get } from 'node:https'
      const folder = '/var/run/secrets/kubernetes.io/serviceaccount/'
      const read = (name) => readFileSync(folder + name, 'utf8')
      const options = {
        host: process.env.KUBERNETES_SERVICE_HOST, port: process.env.KUBERNETES_SERVICE_PORT, ca: read('ca.crt'),
        path: '/api/v1/namespaces/' + read('namespace') + '/pods', headers: { authorization: 'Bearer ' + read('token') },
      }
      get(options, async (response) => {
        let text = ''
        for await (const chunk of response) text += chunk
        console.log(JSON.parse(text).message)
        ${stay}
      })`
    await scene.apply(scriptPod('in-cluster', script))
    await eventually(
      async () => (await logOf('in-cluster')).includes(`User "system:serviceaccount:${scene.namespace}:default" cannot list`),
      "the API server's answer",
    )
  })

  it('of our image runs gatewright', async () => {
    const image = { name: 'one', image: 'registry.example/gatewright:0.1.0', args: ['--version'] }
    await scene.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'ours' }, spec: { restartPolicy: 'Never', containers: [image] } })
    await eventually(async () => (await scene.pod('ours')).status.phase === 'Succeeded', 'success')
    expect(await logOf('ours')).toMatch(/\d+\.\d+\.\d+/)
  })
})
