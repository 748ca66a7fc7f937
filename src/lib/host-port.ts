/** An address in a URL or before a port: IPv6 in brackets (RFC 3986 section 3.2.2). */
export function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** `[::1]:8080`, `127.0.0.1:8080` */
export function hostPort(address: string, port: number | string): string {
  return `${bracketed(address)}:${port}`
}
