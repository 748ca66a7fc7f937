/** Keys of TLS session tickets for several data planes that serve the same listeners: a client comes back to any of them. */
import { createHash, hkdfSync } from 'node:crypto'
import type { ListenerConfig } from '../../config/listener.ts'
import type { Secret } from '../../lib/secret.ts'

/** What `node:tls` asks for: a name, a key that signs and one that encrypts, 16 bytes each. */
const length = 48

/**
 * Of a listener as it is now: one that is changed, whose client authorities for example are others, believes no ticket
 * from before, as one that is made anew with keys of its own does not.
 */
export function ticketKeysFrom(secret: Secret): (config: ListenerConfig) => Buffer {
  return (config) => {
    const listener = createHash('sha256').update(JSON.stringify(config)).digest()
    return Buffer.from(hkdfSync('sha256', secret.reveal(), listener, 'gatewright session tickets', length))
  }
}
