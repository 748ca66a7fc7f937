/** A backend behind TLS that speaks HTTP/1.1 and HTTP/2, whichever ALPN chooses, and remembers each handshake. */
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type SecureServerOptions,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { TestCertificate } from './certificates.ts'

export interface Handshake {
  readonly serverName: string
  readonly protocol: string
  readonly resumed: boolean
  readonly socket: TLSSocket
}

export type TlsRespond = (request: Http2ServerRequest, response: Http2ServerResponse) => void

export class TlsBackend {
  readonly handshakes: Handshake[] = []
  readonly server: Http2SecureServer

  private constructor(server: Http2SecureServer) {
    this.server = server
    server.on('secureConnection', (socket: TLSSocket & { readonly servername?: string }) => {
      this.handshakes.push({
        serverName: socket.servername ?? '',
        protocol: String(socket.alpnProtocol),
        resumed: socket.isSessionReused(),
        socket,
      })
      socket.on('error', () => {})
    })
  }

  static listen({ config, key }: TestCertificate, respond: TlsRespond = ok, options: SecureServerOptions = {}): Promise<TlsBackend> {
    const server = createSecureServer({ cert: config.chain, key: key.reveal(), allowHTTP1: true, ...options }, respond)
    server.on('tlsClientError', () => {})
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(new TlsBackend(server)))
    })
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  close(): Promise<void> {
    for (const { socket } of this.handshakes) socket.destroy()
    return new Promise((resolve) => {
      this.server.close(() => resolve())
    })
  }
}

function ok(_request: Http2ServerRequest, response: Http2ServerResponse): void {
  response.end('ok')
}
