/** The version of a configuration: a hash over the hashes of its resources, so that an unchanged resource is never serialised again. */
import { createHash } from 'node:crypto'
import type { GatewayConfig } from '../config/config.ts'

/** By identity; handed on from pass to pass. Holds nothing that the resource itself does not determine. */
export type Hashes = WeakMap<object, string>

/** 43 characters; equal for equal configurations, whatever pass made them. */
export function versionOf({ gateway, listeners, routes, streams, pools, certificates }: GatewayConfig, hashes: Hashes): string {
  return digest([gateway, ...[listeners, routes, streams, pools, certificates].map((resources) => hashOfAll(resources, hashes))].join('\n'))
}

function hashOfAll(resources: readonly object[], hashes: Hashes): string {
  return remembered(resources, hashes, () =>
    resources.map((resource) => remembered(resource, hashes, () => JSON.stringify(resource))).join(''),
  )
}

function remembered(value: object, hashes: Hashes, text: () => string): string {
  let hash = hashes.get(value)
  if (hash === undefined) hashes.set(value, (hash = digest(text())))
  return hash
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
