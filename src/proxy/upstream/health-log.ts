/** What an operator reads when an endpoint is ejected and when it is back, and when a name leads somewhere or does not. */
import type { Logger } from '../../telemetry/logger.ts'
import type { Endpoint } from './endpoint.ts'
import type { Pool } from './pool.ts'
import type { LookOutcome } from './resolution.ts'

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

export function logName(logger: Logger, { config, size }: Pool, outcome: LookOutcome): void {
  const fields = { pool: config.key, hostname: config.hostname, endpoints: size }
  switch (outcome.kind) {
    case 'found':
      return logger.info('the addresses of a backend are known', fields)
    case 'absent':
      return logger.warn('the hostname of a backend has no address', fields)
    case 'failed':
    case 'refused':
      return logger.warn('the hostname of a backend could not be followed', { ...fields, reason: outcome.reason })
  }
}
