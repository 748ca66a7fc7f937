/**
 * Fields that the codec or the gateway itself treats specially. The scanner marks each line with its kind, found by
 * length and first letter and then compared, so that no name is lower-cased and no map is asked on the way.
 */
import { LOWER } from './byte-class.ts'

export const OTHER = 0
export const HOST = 1
export const CONTENT_LENGTH = 2
export const TRANSFER_ENCODING = 3
export const CONNECTION = 4
export const UPGRADE = 5
export const TE = 6
export const EXPECT = 7
export const KEEP_ALIVE = 8
/** Hop-by-hop without a meaning for us: Proxy-Connection, Proxy-Authenticate, Proxy-Authorization, HTTP2-Settings. */
export const HOP_BY_HOP = 9
/** X-Forwarded-*, Forwarded, X-Real-IP, X-Request-Id: what a client may not say of itself. */
export const FORWARDED = 10
/** The same names with a `_` for a `-`, which many backends take for them: nobody may use these. */
export const FORWARDED_ALIAS = 11

/** A line that is no longer there: named by Connection, or removed by an edit. */
export const DROPPED = 31

/** The codec writes these itself, or leaves them out; no edit reaches them. */
export const FRAMING_KINDS: number = bits(CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, UPGRADE, TE, EXPECT, KEEP_ALIVE, HOP_BY_HOP)

const KIND_OF_NAME: ReadonlyMap<string, number> = new Map([
  ['host', HOST],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['connection', CONNECTION],
  ['upgrade', UPGRADE],
  ['te', TE],
  ['expect', EXPECT],
  ['keep-alive', KEEP_ALIVE],
  ['proxy-connection', HOP_BY_HOP],
  ['proxy-authenticate', HOP_BY_HOP],
  ['proxy-authorization', HOP_BY_HOP],
  ['http2-settings', HOP_BY_HOP],
  ['forwarded', FORWARDED],
])

const FORWARDED_PREFIX = 'x-forwarded-'
const LETTER_X = 0x78
const DASH = 0x2d
const UNDERSCORE = 0x5f
const X_FORWARDED: Uint8Array = codes(FORWARDED_PREFIX)
const X_REAL_IP: Uint8Array = codes('x-real-ip')
const X_REQUEST_ID: Uint8Array = codes('x-request-id')

interface Candidate {
  readonly name: Uint8Array
  readonly kind: number
}

/** proxy-authorization */
const LONGEST_NAME = 19

/** Index: length * 32 + the low five bits of the first letter. */
const CANDIDATES: readonly (Candidate | undefined)[] = candidates()

/** The kind of the name in bytes[from, to). */
export function kindOfBytes(bytes: Uint8Array, from: number, to: number): number {
  const first = LOWER[bytes[from] as number] as number
  if (first === LETTER_X) return kindOfForwarded(bytes, from, to)
  if (to - from > LONGEST_NAME) return OTHER
  const candidate = CANDIDATES[(to - from) * 32 + (first & 31)]
  if (candidate === undefined) return OTHER
  const name = candidate.name
  for (let i = 0; i < name.length; i++) if (LOWER[bytes[from + i] as number] !== name[i]) return OTHER
  return candidate.kind
}

/** The kind of a name in lower case. */
export function kindOfName(lower: string): number {
  if (lower.charCodeAt(0) !== LETTER_X) return KIND_OF_NAME.get(lower) ?? OTHER
  const hasUnderscore = lower.includes('_')
  const dashed = hasUnderscore ? lower.replaceAll('_', '-') : lower
  if (!dashed.startsWith(FORWARDED_PREFIX) && dashed !== 'x-real-ip' && dashed !== 'x-request-id') return OTHER
  return hasUnderscore ? FORWARDED_ALIAS : FORWARDED
}

/** Names that begin with x are many and ours are few: compared with `_` read as `-`, as many backends do. */
function kindOfForwarded(bytes: Uint8Array, from: number, to: number): number {
  const length = to - from
  const isOurs =
    (length === X_REAL_IP.length && begins(bytes, from, X_REAL_IP)) ||
    (length === X_REQUEST_ID.length && begins(bytes, from, X_REQUEST_ID)) ||
    (length >= X_FORWARDED.length && begins(bytes, from, X_FORWARDED))
  if (!isOurs) return OTHER
  for (let i = from; i < to; i++) if (bytes[i] === UNDERSCORE) return FORWARDED_ALIAS
  return FORWARDED
}

function begins(bytes: Uint8Array, from: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) {
    const byte = LOWER[bytes[from + i] as number]
    if (byte !== name[i] && !(byte === UNDERSCORE && name[i] === DASH)) return false
  }
  return true
}

function candidates(): (Candidate | undefined)[] {
  const table: (Candidate | undefined)[] = Array.from({ length: (LONGEST_NAME + 1) * 32 }, () => undefined)
  for (const [name, kind] of KIND_OF_NAME) {
    table[name.length * 32 + (name.charCodeAt(0) & 31)] = { name: codes(name), kind }
  }
  return table
}

function codes(name: string): Uint8Array {
  return Uint8Array.from(name, (letter) => letter.charCodeAt(0))
}

function bits(...kinds: number[]): number {
  return kinds.reduce((mask, kind) => mask | (1 << kind), 0)
}
