/** The suite's tests of retries: after answers with certain statuses, after failed connections, and within timeouts. */
import { conformanceTests } from './conformance.ts'
import type { Outcome, Row } from './request-table.ts'

const conformance = conformanceTests()

const v3 = 'infra-backend-v3'

conformance('HTTPRouteRetry', async (scene) => {
  scene.served('same-namespace', 'retries')
  await scene.answers('same-namespace', [
    failing('/retry/code-500-attempts-3', { responseCode: 500, succeedAfter: 2 }, v3),
    failing('/retry/code-500-attempts-3', { responseCode: 500, succeedAfter: 4 }, 500),
    failing('/retry/code-500-attempts-3', { responseCode: 503, succeedAfter: 2 }, 503),
  ])
  // Not all at once: a pool without other requests under way repeats no more than three at a time.
  for (const responseCode of [500, 502, 503, 504]) {
    await scene.answers('same-namespace', [
      failing('/retry/code-all-attempts-2', { responseCode, succeedAfter: 1 }, v3),
      failing('/retry/code-all-attempts-2', { responseCode, succeedAfter: 3 }, responseCode),
      failing('/retry/code-all-attempts-0', { responseCode, succeedAfter: 1 }, responseCode),
    ])
  }
})

conformance('HTTPRouteRetryWithRequestTimeout', async (scene) => {
  scene.served('same-namespace', 'retries-with-timeouts')
  const path = '/retry/request-timeout-500ms'
  await scene.answers('same-namespace', [
    failing(path, { responseCode: 500, succeedAfter: 1 }, v3),
    failing(path, { responseCode: 500, succeedAfter: 2, delayRetry: '300ms' }, 504),
  ])
})

conformance('HTTPRouteRetryWithBackendTimeout', async (scene) => {
  scene.served('same-namespace', 'retries-with-timeouts')
  const slow = { responseCode: 500, succeedAfter: 2, delayRetry: '1s', delay: '1s' }
  await scene.answers('same-namespace', [
    failing('/retry/backend-timeout-500ms', { ...slow, delayRetry: '100ms', delay: '100ms' }, v3),
    // The suite sends this one to the rule with a timeout of the whole request.
    failing('/retry/request-timeout-500ms', slow, 504),
  ])
})

conformance('HTTPRouteRetryConnectionError', async (scene) => {
  scene.served('same-namespace', 'retries-connection-error')
  for (let request = 0; request < 10; request++) {
    await scene.answers('same-namespace', [['/retry-on-connection-errors', 'infra-backend-connection-error-healthy']])
  }
})

/** A request that the backend fails as often and in that way. */
function failing(path: string, how: Readonly<Record<string, string | number>>, outcome: Outcome): Row {
  const query = Object.entries({ ...how, uuid: crypto.randomUUID() }).map(([name, value]) => `${name}=${value}`)
  return [`${path}?${query.join('&')}`, outcome]
}
