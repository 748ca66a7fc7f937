/** The version of a configuration: a hash over the hashes of its resources, so that an unchanged resource is never serialised again. */
import { createHash } from 'node:crypto'
import type { GatewayConfig } from '../config/config.ts'

/** By identity; handed on from pass to pass. Holds nothing that the resource itself does not determine. */
export type Hashes = WeakMap<object, string>

/** 43 characters; equal for equal configurations, whatever pass made them. */
export function versionOf(config: GatewayConfig, hashes: Hashes): string {
  const parts = [config.listeners, config.routes, config.pools, config.certificates].map((resources) =>
    resources.map((resource) => hashOf(resource, hashes)).join(''),
  )
  return digest(`${config.gateway}\n${parts.join('\n')}`)
}

function hashOf(resource: object, hashes: Hashes): string {
  let hash = hashes.get(resource)
  if (hash === undefined) hashes.set(resource, (hash = digest(JSON.stringify(resource))))
  return hash
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
