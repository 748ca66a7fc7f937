/**
 * A listener that ends TLS, compiled: one `tls.Server` that never listens and gets its connections by `emit`.
 *
 * One server for each listener, not for each port: its settings (versions, whose certificates clients show) are server-wide
 * in `node:tls`, tickets of one listener are worth nothing at another, and the listener of a connection is known by
 * the server that it came out of. It is immutable; a change makes a new one, and handshakes under way end on the old.
 */
import { constants } from 'node:crypto'
import type { Socket } from 'node:net'
import { createSecureContext, createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls'
import type { ClientValidationConfig, ListenerConfig, ListenerKey, ListenerTlsConfig } from '../../config/listener.ts'
import { type CertificateResult, chooseCertificate, type LoadedCertificate } from './certificates.ts'
import { normalServerName } from './client-hello.ts'

/** By key of the listener. */
export type TlsListeners = ReadonlyMap<ListenerKey, TlsListener>

export interface TlsSurroundings {
  readonly secured: (socket: TLSSocket, listener: ListenerKey) => void
  readonly failed: (socket: TLSSocket) => void
  /** 48 bytes, the same wherever tickets of this listener are believed. Absent: what OpenSSL makes up for each server. */
  readonly ticketKeys?: ((config: ListenerConfig) => Buffer) | undefined
}

/**
 * TLS 1.3's suites, and for TLS 1.2 those with forward secrecy and authenticated encryption. The client's order
 * counts: all are strong, and it knows whether its processor is good at AES.
 */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

export class TlsListener {
  readonly config: ListenerConfig
  readonly certificates: readonly LoadedCertificate[]
  readonly #terms: TlsTerms
  readonly #surroundings: TlsSurroundings
  #server: Server | undefined

  constructor(config: ListenerConfig, terms: TlsTerms, certificates: readonly LoadedCertificate[], surroundings: TlsSurroundings) {
    this.config = config
    this.certificates = certificates
    this.#terms = terms
    this.#surroundings = surroundings
  }

  /** Takes the handshake on; the socket holds the ClientHello as unread bytes. */
  handshake(socket: Socket): void {
    // Made for the first connection: of many listeners most wait long for theirs, and a server holds a context of its own.
    this.#server ??= this.#createServer()
    this.#server.emit('connection', socket)
  }

  #createServer(): Server {
    const { config, certificates } = this
    const { secured, failed, ticketKeys } = this.#surroundings
    const { minVersion, clients } = this.#terms
    const [first] = certificates
    const contextOf = clients === undefined ? presented : checking(clients)
    const server = createServer({
      ...(first !== undefined && { cert: first.config.chain, key: first.key.reveal() }),
      ca: authoritiesOf(clients),
      requestCert: clients !== undefined,
      rejectUnauthorized: clients?.mode === 'valid-only',
      minVersion,
      // Node makes the context of a process's arguments, which are not the same in all processes.
      ...(ticketKeys !== undefined && { ticketKeys: ticketKeys(config), sessionIdContext: 'gatewright' }),
      ciphers,
      honorCipherOrder: false,
      // RFC 9325 section 3.5: a client that asks to renegotiate gets an alert.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      // What a listener of streams carries is not known here.
      ...(config.protocol === 'HTTPS' && { ALPNProtocols: ['h2', 'http/1.1'] }),
      pauseOnConnect: true,
      SNICallback: (serverName, done) => done(null, contextOf(chooseCertificate(certificates, normalServerName(serverName)))),
    })
    server.on('secureConnection', (socket) => secured(socket, config.key))
    server.on('tlsClientError', (_error, socket) => failed(socket))
    return server
  }
}

type TlsTerms = Extract<ListenerTlsConfig, { readonly kind: 'terminate' }>

function presented(certificate: LoadedCertificate | undefined): SecureContext | undefined {
  return certificate?.context
}

/** The context that a server name chooses decides whom the client's certificate may be from: those of certificates know nobody. */
function checking(clients: ClientValidationConfig): typeof presented {
  const contexts = new Map<LoadedCertificate, SecureContext>()
  return (certificate) => {
    if (certificate === undefined) return undefined
    let context = contexts.get(certificate)
    if (context === undefined) {
      context = createSecureContext({ cert: certificate.config.chain, key: certificate.key.reveal(), ca: authoritiesOf(clients) })
      contexts.set(certificate, context)
    }
    return context
  }
}

/**
 * Where everybody is let in nobody is checked: a signature that does not fit leaves an error with OpenSSL, by which the next read of an
 * accepted connection would seem to fail.
 */
function authoritiesOf(clients: ClientValidationConfig | undefined): string | string[] {
  return clients?.mode === 'valid-only' ? clients.authorities : []
}

export interface TlsListenersResult {
  readonly listeners: TlsListeners
  /** Every listener with a certificate that could not be used; it serves with the others, or with what it had before. */
  readonly failures: ReadonlyMap<ListenerKey, string>
}

/** @param previous the listeners before: an unchanged one, or one that cannot be made anew, stays */
export function compileTlsListeners(
  configs: Iterable<ListenerConfig>,
  certificates: ReadonlyMap<string, CertificateResult>,
  previous: TlsListeners,
  surroundings: TlsSurroundings,
): TlsListenersResult {
  const listeners = new Map<ListenerKey, TlsListener>()
  const failures = new Map<ListenerKey, string>()
  for (const config of configs) {
    if (config.tls?.kind !== 'terminate') continue
    const before = previous.get(config.key)
    const loaded: LoadedCertificate[] = []
    for (const fingerprint of config.tls.certificates) {
      const result = certificates.get(fingerprint)
      if (result?.kind === 'loaded') loaded.push(result.certificate)
      else failures.set(config.key, result?.message ?? `Cannot find the certificate ${fingerprint.slice(0, 12)} of listener ${config.name}`)
    }
    const same =
      before?.config === config &&
      before.certificates.length === loaded.length &&
      loaded.every((one, index) => one === before.certificates[index])
    const listener = same || loaded.length === 0 ? before : new TlsListener(config, config.tls, loaded, surroundings)
    if (listener !== undefined) listeners.set(config.key, listener)
  }
  return { listeners, failures }
}
