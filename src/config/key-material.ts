/** Private keys by fingerprint of their certificate: a resource of its own, so that every other part of a configuration may be printed. */
import type { Secret } from '../lib/secret.ts'

export type KeyMaterial = ReadonlyMap<string, Secret>
