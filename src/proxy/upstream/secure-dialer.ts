/**
 * Connects to the endpoints of a pool over TLS: one context for all of them, a session for each to be taken up again.
 *
 * The chain is verified by OpenSSL against the authorities of this pool alone, key by key; then a name that was asked for
 * must be in the certificate. Sessions are the pool's: one that was made under other terms is in another pool.
 */
import { connect as connectPlain, type Socket } from 'node:net'
import { connect, createSecureContext, type PeerCertificate, type SecureContext, type TLSSocket } from 'node:tls'
import type { BackendName, BackendTlsConfig } from '../../config/backend-tls.ts'
import { alternativeNames, matchesDnsName } from '../../lib/alternative-names.ts'
import { type ByteHandler, byteOptions, canShareReadBuffer, type ReadBuffer } from '../byte-socket.ts'
import type { Endpoint } from './endpoint.ts'
import type { ClientCertificate } from './registry.ts'

export class SecureDialer {
  readonly #config: BackendTlsConfig
  readonly #protocols: string[] | undefined
  readonly #context: SecureContext
  readonly #sessions = new WeakMap<Endpoint, Buffer>()

  /** @param protocol what ALPN offers; undefined: nothing */
  constructor(config: BackendTlsConfig, protocol: string | undefined, shown: ClientCertificate | undefined) {
    this.#config = config
    this.#protocols = protocol === undefined ? undefined : [protocol]
    const { authorities } = config
    this.#context = createSecureContext({
      minVersion: 'TLSv1.2',
      ...(authorities.kind === 'bundle' && { ca: authorities.pem }),
      ...(shown !== undefined && { cert: shown.chain, key: shown.key.reveal() }),
    })
  }

  /** Emits 'secureConnect' when it may be written to. @param preamble goes before the handshake, in clear text */
  connect(endpoint: Endpoint, handler: ByteHandler, buffer: ReadBuffer, preamble: Buffer | undefined): TLSSocket {
    const { address, port } = endpoint.config
    const session = this.#sessions.get(endpoint)
    const socket = connect({
      ...(preamble === undefined ? byteOptions(address, port, handler, buffer) : { socket: beginningWith(preamble, address, port) }),
      secureContext: this.#context,
      servername: this.#config.serverName,
      ...(this.#protocols !== undefined && { ALPNProtocols: this.#protocols }),
      rejectUnauthorized: true,
      checkServerIdentity: (_host, certificate) => identityProblem(this.#config, certificate),
      ...(session !== undefined && { session }),
    })
    if (!canShareReadBuffer || preamble !== undefined) socket.on('data', (bytes: Buffer) => handler.onBytes(bytes))
    socket.on('session', (made) => this.#sessions.set(endpoint, made))
    return socket
  }
}

/** A connection whose first bytes are these, whoever writes to it; `onread` is not for one that TLS is put on afterwards. */
function beginningWith(preamble: Buffer, host: string, port: number): Socket {
  const socket = connectPlain({ host, port, noDelay: true, allowHalfOpen: true })
  return socket.once('connect', () => socket.write(preamble))
}

function identityProblem({ names, serverName }: BackendTlsConfig, { subjectaltname }: PeerCertificate): Error | undefined {
  const found = alternativeNames(subjectaltname)
  const wanted: readonly BackendName[] = names.length > 0 ? names : [{ kind: 'dns', value: serverName }]
  const isThere = wanted.some(({ kind, value }) =>
    kind === 'uri' ? found.uris.includes(value) : found.dns.some((pattern) => matchesDnsName(pattern, value)),
  )
  if (isThere) return undefined
  const list = wanted.map(({ value }) => value).join(' or ')
  const got = [...found.dns, ...found.uris].join(', ')
  return new Error(`the certificate must be for ${list}, got ${got === '' ? 'no alternative names' : got}`)
}
