/**
 * HTTPRequestRedirectFilter. Scheme and hostname are the request's unless given. Without a port of its own a redirect
 * with a scheme goes to that scheme's well-known port, one without to the listener's port; 80 with http and 443 with
 * https are left out. Ports of the same Gateway that listen elsewhere here are named as they listen (moved-ports.ts).
 * The Location is an absolute URL, so that a path that begins with `//` cannot become a host.
 */
import type { FilterConfig } from '../config/filter.ts'
import { listenerPortOf, type MovedPort, reachablePort } from './moved-ports.ts'
import { compilePathEdit } from './path-edit.ts'
import type { CompiledRedirect } from './router.ts'
import type { Problem } from './problem.ts'

type RedirectConfig = Extract<FilterConfig, { kind: 'redirect' }>

const wellKnownPort = { http: 80, https: 443 } as const

export function compileRedirect(config: RedirectConfig, moved: readonly MovedPort[]): CompiledRedirect | Problem {
  const editPath = compilePathEdit(config.path)
  if (typeof editPath !== 'function') return editPath
  const hostname = config.hostname?.toLowerCase()
  if (hostname !== undefined && !isHostname(hostname)) {
    return { problem: `Cannot redirect: the hostname must be a DNS name, got ${JSON.stringify(hostname)}` }
  }
  const ownPort = config.port ?? (config.scheme && wellKnownPort[config.scheme])
  const fixedPort = ownPort === undefined ? undefined : reachablePort(moved, ownPort, hostname)
  return {
    status: config.status,
    location(request, requestScheme, listenerPort, prefixLength) {
      const scheme = config.scheme ?? requestScheme
      const port = fixedPort ?? listenerPortOf(moved, listenerPort, hostname)
      const path = editPath(request.path.startsWith('/') ? request.path : '/', prefixLength)
      const query = request.query === '' ? '' : '?' + request.query
      const host = hostname ?? request.host
      // HTTP/1.0 without Host: nothing names us, so the reference has to stay relative, and must not look like `//host`.
      if (host === '') return path.replace(/^\/+/, '/') + query
      return `${scheme}://${host}${port === wellKnownPort[scheme] ? '' : `:${port}`}${path}${query}`
    },
  }
}

export function isHostname(text: string): boolean {
  return /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(text)
}
