/** What is not served yet is understood all the same: every manifest of the suite is valid, and gets a status that is about it and valid too. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findGatewayApi } from '../spec/gateway-api.ts'
import { ConformanceCluster } from './cluster.ts'
import { statusJudge } from './status-schema.ts'
import { suite } from './suite-module.ts'

const gatewayApi = findGatewayApi()

describe.skipIf(suite === undefined || gatewayApi === undefined)('objects of the suite', () => {
  const judge = gatewayApi === undefined ? () => [] : statusJudge(gatewayApi)
  let cluster: ConformanceCluster | undefined

  beforeAll(async () => {
    if (suite !== undefined) cluster = await ConformanceCluster.start(suite)
  })
  afterAll(() => cluster?.close())

  it.each([...(suite?.tests.values() ?? [])])('$name', async ({ manifests }) => {
    if (suite === undefined || cluster === undefined) throw new Error('there is no suite')
    const { read } = suite
    await cluster.during(
      manifests.flatMap((path) => read(path)),
      () => {
        cluster?.expectUpToDate()
        cluster?.expectConsistent()
        expect(cluster?.statuses.flatMap(judge)).toEqual([])
      },
    )
  })
})
