/** SessionPersistence (Gateway API v1; GEP-1619): what identifies a session, and how long it lasts. */
import { createHash } from 'node:crypto'
import type { SessionPersistence } from '../api/route.ts'
import type { SessionConfig } from '../config/route.ts'
import { parseDuration } from '../lib/duration.ts'

/**
 * On a route, `true` lets its sessions keep the backend as well, so that whoever met the canary stays there. By itself a
 * session "MUST NOT" override traffic splitting (GEP-1619, Traffic Splitting).
 */
const KEEPS_BACKEND = 'gatewright.dev/session-keeps-backend'

/** `rule`: its key, from which a cookie without a name gets one of its own. The problem is a clause. */
export function sessionOf(
  { type, absoluteTimeout, cookie, header }: SessionPersistence,
  rule: string,
  annotations: Readonly<Record<string, string>>,
): SessionConfig | { readonly problem: string } {
  // No end is what `0s` means for every timeout of the API.
  const timeout = absoluteTimeout === undefined ? 0 : (parseDuration(absoluteTimeout) ?? 0)
  const common = { ...(timeout === 0 ? {} : { absoluteTimeout: timeout }), keepsBackend: annotations[KEEPS_BACKEND] === 'true' }
  switch (type) {
    case 'Header': {
      const name = header?.name ?? ''
      if (FRAMING.has(name.toLowerCase())) return { problem: `the header ${name} cannot hold a session, it belongs to the gateway` }
      return { kind: 'header', name, ...common }
    }
    case 'Cookie': {
      const { name = nameFor(rule), path = '/', lifetimeType = 'Session' } = cookie ?? {}
      if (!COOKIE_PATH.test(path)) {
        return {
          problem: `the path of the session's cookie must begin with "/" and hold no ";" and nothing but ASCII, got ${JSON.stringify(path)}`,
        }
      }
      if (lifetimeType === 'Permanent' && timeout === 0) {
        return { problem: 'the absoluteTimeout of a permanent cookie must be longer than 0s' }
      }
      return { kind: 'cookie', name, path, lifetime: lifetimeType === 'Permanent' ? 'permanent' : 'session', ...common }
    }
  }
}

/** RFC 6265 section 4.1.1, path-value. */
const COOKIE_PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/

/** Fields that frame a message or name its target: a session in one of them would break the message. */
const FRAMING = new Set(['connection', 'content-length', 'cookie', 'host', 'set-cookie', 'te', 'trailer', 'transfer-encoding', 'upgrade'])

/** "A unique cookie name SHOULD be generated" (CookieConfig.name): the same one in every process. */
function nameFor(rule: string): string {
  return `gatewright-session-${createHash('sha256').update(rule).digest('hex').slice(0, 12)}`
}
