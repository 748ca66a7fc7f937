/** How a file of tests begins: one cluster for all of them, and a function that makes a test of the suite one of ours. */
import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { afterAll, beforeAll, it } from 'vitest'
import { ConformanceCluster } from './cluster.ts'
import { Http2Sessions } from './http2-sessions.ts'
import { Scene } from './scene.ts'
import { suite } from './suite-module.ts'

/** Runs with the manifests of the test of that name. What it changes is undone afterwards. */
export type ConformanceTest = (name: string, run: (scene: Scene) => Promise<void> | void) => void

/** Call it once, at the top of a test file. */
export function conformanceTests(): ConformanceTest {
  // Few enough for the descriptors that any system gives.
  const options = { keepAlive: true, maxSockets: 16 }
  const agents = { http: new Agent(options), https: new TlsAgent(options), http2: new Http2Sessions() }
  let cluster: ConformanceCluster | undefined

  beforeAll(async () => {
    if (suite === undefined) return
    cluster = await ConformanceCluster.start(suite)
    cluster.expectGatewaysReady()
  })
  afterAll(async () => {
    agents.http.destroy()
    agents.https.destroy()
    agents.http2.close()
    await cluster?.close()
  })

  return (name, run) => {
    it.skipIf(suite === undefined)(name, async () => {
      const test = suite?.tests.get(name)
      if (suite === undefined || cluster === undefined || test === undefined) throw new Error(`the suite has no test ${name}`)
      const scene = new Scene(cluster, agents)
      await cluster.during(test.manifests.flatMap(suite.read), async () => {
        cluster?.expectUpToDate()
        if (test.waits) cluster?.expectGatewaysReady()
        await run(scene)
        cluster?.expectUpToDate()
        if (test.waits) cluster?.expectGatewaysReady()
      })
    })
  }
}
