/** What is not served yet is understood all the same: every manifest of the suite is valid, and gets a status that is about it. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { ConformanceCluster } from './cluster.ts'
import { suite } from './suite-module.ts'

describe.skipIf(suite === undefined)('manifests of the suite', () => {
  let cluster: ConformanceCluster | undefined
  beforeAll(async () => {
    if (suite !== undefined) cluster = await ConformanceCluster.start(suite)
  })
  afterAll(() => cluster?.close())

  it.each([...(suite?.tests.values() ?? [])])('$name', async ({ manifests }) => {
    await cluster?.during(
      manifests.flatMap((path) => suite?.read(path) ?? []),
      () => Promise.resolve(cluster?.expectUpToDate()),
    )
  })
})
