/** The API server, as every source. */
import { onTestFinished } from 'vitest'
import { parse as parseYaml } from 'yaml'
import type { KubeObject } from '../../../src/kube/kube-api.ts'
import { KubernetesSource } from '../../../src/sources/kubernetes/kubernetes-source.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { delay } from '../../../src/kube/delay.ts'
import { clientOf, scriptedApi } from '../../harness/kube.ts'
import { sourceCases } from '../../unit/sources/source-cases.ts'

function objectOf(yaml: string): KubeObject {
  const object = parseYaml(yaml) as KubeObject
  return { ...object, metadata: { namespace: 'default', ...object.metadata } }
}

for (const mood of ['an API server', 'an API server whose watches break'] as const) {
  sourceCases(mood, async (routes) => {
    const api = await scriptedApi()
    for (const yaml of Object.values(routes)) api.put(objectOf(yaml))
    const source = new KubernetesSource({
      api: clientOf(api),
      logger: silentLogger,
      random: Math.random,
      delay: (milliseconds, signal) => delay(milliseconds / 10, signal),
      now: () => performance.now(),
    })
    onTestFinished(() => source.stop())
    const broken = (): void => {
      if (mood !== 'an API server') api.watchesEnd('half-line', 'HTTPRoute')
    }
    return {
      source,
      put: async (_, yaml) => {
        broken()
        api.put(objectOf(yaml))
        await delay(0)
      },
      remove: async (name) => {
        broken()
        api.remove('HTTPRoute', 'default', name)
        await delay(0)
      },
    }
  })
}
