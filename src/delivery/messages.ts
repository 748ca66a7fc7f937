/**
 * What controller and proxy say to each other. Both are of one release or of neighbouring ones: a protocol number tells,
 * fields that are not known are left alone.
 *
 * At most one configuration is under way on a connection: the next one is sent after the answer to it, so that whatever
 * changes meanwhile is taken together, and a slow proxy is sent no more than it can take.
 */
import type { GatewayResult } from './in-process.ts'
import type { ConfigDelta } from './gateway-resources.ts'

export const protocol = 1
/** Bytes of one message to a proxy: 5,000 routes are about 5 MiB. */
export const longestMessage = 256 * 1024 * 1024
/** Bytes of one message from a proxy: a thousand ports are about 100 KiB. */
export const longestAnswer = 1024 * 1024
/** The name that every controller's certificate bears, whatever address it is reached at. */
export const controllerName = 'controller.gatewright.internal'
/** Milliseconds between signs of life, and without one until the peer counts as gone. */
export const beatTime = 5_000
export const silenceTime = 20_000

export type FromController =
  | { readonly kind: 'beat' }
  /** Of two controllers the one with the greater number is followed: the Lease's transitions for its holder, 0 for others. */
  | { readonly kind: 'epoch'; readonly epoch: number }
  /** `host:port` of every controller. */
  | { readonly kind: 'peers'; readonly addresses: readonly string[] }
  /** `from` is '' when the delta makes everything from nothing. */
  | { readonly kind: 'config'; readonly number: number; readonly from: string; readonly to: string; readonly delta: ConfigDelta }

export type FromProxy =
  | { readonly kind: 'beat' }
  | { readonly kind: 'hello'; readonly protocol: number; readonly pod: string }
  /** What is served now; '' before the first configuration. With `answers` it is the answer to a configuration. */
  | { readonly kind: 'serves'; readonly version: string; readonly result?: GatewayResult; readonly answers?: number }
  /** Another controller is followed: this one's configurations are not wanted until the next 'serves' or 'again'. */
  | { readonly kind: 'follows-other'; readonly answers: number }
  /** The configuration did not fit what the proxy has, or is wanted after all: everything, please. */
  | { readonly kind: 'again'; readonly answers?: number }

/** Whose proxy it is: one that was deleted and one that was made in its place are two Gateways, perhaps of two tenants. */
export interface ProxyIdentity {
  /** `namespace/name` */
  readonly gateway: string
  readonly uid: string
}

/** `gatewright://gateway/NAMESPACE/NAME/UID`, the identity of a Gateway's proxies in their certificate. */
export function identityOf({ gateway, uid }: ProxyIdentity): string {
  return `gatewright://gateway/${gateway}/${uid}`
}

/** Whom the alternative names of a certificate speak for. */
export function identityIn(subjectAltName: string | undefined): ProxyIdentity | undefined {
  const found = /(?:^|, )URI:gatewright:\/\/gateway\/([a-z0-9.-]+\/[a-z0-9.-]+)\/([a-zA-Z0-9-]+)(?:,|$)/.exec(subjectAltName ?? '')
  const [, gateway, uid] = found ?? []
  return gateway === undefined || uid === undefined ? undefined : { gateway, uid }
}

/** A message of a known kind; undefined for one of a later release, which is left alone. */
export function fromController(message: unknown): FromController | undefined {
  return known<FromController>(message, ['beat', 'epoch', 'peers', 'config'])
}

/** The peer has shown the controller's certificate: its messages are taken at their word. */
function known<T extends { readonly kind: string }>(message: unknown, kinds: readonly T['kind'][]): T | undefined {
  const kind = typeof message === 'object' && message !== null && 'kind' in message ? message.kind : undefined
  return kinds.some((one) => one === kind) ? (message as T) : undefined
}
