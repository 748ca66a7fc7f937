/** What an operator reads when an endpoint is ejected and when it is back. */
import type { Logger } from '../../telemetry/logger.ts'
import type { Endpoint } from './endpoint.ts'
import type { Pool } from './pool.ts'

export function logHealth(logger: Logger, pool: Pool, { name, health, problem }: Endpoint): void {
  const fields = { pool: pool.config.key, endpoint: name }
  switch (health.kind) {
    case 'ejected':
      return logger.warn('an endpoint is ejected', {
        ...fields,
        reason: health.reason,
        ...(health.reason.startsWith('connect-') && { problem }),
        panic: pool.panic,
      })
    case 'trial':
      return undefined
    case 'available':
      return logger.info('an endpoint is back', fields)
  }
}
