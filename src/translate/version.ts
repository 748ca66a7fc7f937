/** The version of a configuration: a hash over the hashes of its resources, so that an unchanged resource is never serialised again. */
import { createHash } from 'node:crypto'
import type { GatewayConfig } from '../config/config.ts'
import { changedSpan } from '../lib/list-change.ts'

/**
 * By identity, of resources (a text) and of lists of them (one text for each block of them); handed on from pass to pass. Holds nothing
 * that the resource itself does not determine.
 */
export interface Hashes {
  readonly resources: WeakMap<object, string>
  readonly lists: WeakMap<readonly object[], readonly string[]>
}

export function noHashes(): Hashes {
  return { resources: new WeakMap(), lists: new WeakMap() }
}

/** Resources in a block: one that changes costs the hashes of its block, and one for each block of the list. */
const block = 64

/** 43 characters; equal for equal configurations, whatever pass made them. `before`: the last pass's, to save work. */
export function versionOf(config: GatewayConfig, hashes: Hashes, before: GatewayConfig | undefined): string {
  const { gateway, listeners, routes, streams, pools, certificates } = config
  return digest(
    [
      gateway,
      hashOfAll(listeners, hashes, before?.listeners),
      hashOfAll(routes, hashes, before?.routes),
      hashOfAll(streams, hashes, before?.streams),
      hashOfAll(pools, hashes, before?.pools),
      hashOfAll(certificates, hashes, before?.certificates),
    ].join('\n'),
  )
}

function hashOfAll(resources: readonly object[], hashes: Hashes, before: readonly object[] = []): string {
  let blocks = hashes.lists.get(resources)
  if (blocks === undefined) {
    blocks = blocksOf(resources, hashes, before, hashes.lists.get(before) ?? [])
    hashes.lists.set(resources, blocks)
  }
  return digest(blocks.join(''))
}

function blocksOf(resources: readonly object[], hashes: Hashes, before: readonly object[], known: readonly string[]): readonly string[] {
  const same = changedSpan(resources, before).begin
  const blocks: string[] = []
  for (let begin = 0; begin < resources.length; begin += block) {
    const end = begin + block
    const there = end <= same ? known[begin / block] : undefined
    blocks.push(
      there ??
        digest(
          resources
            .slice(begin, end)
            .map((resource) => hashOf(resource, hashes))
            .join(''),
        ),
    )
  }
  return blocks
}

function hashOf(resource: object, { resources }: Hashes): string {
  let hash = resources.get(resource)
  if (hash === undefined) resources.set(resource, (hash = digest(JSON.stringify(resource))))
  return hash
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
