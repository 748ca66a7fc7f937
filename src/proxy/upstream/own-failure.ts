/** Errors of `connect` that are this machine's and say nothing about the endpoint: no descriptor, no local port, no memory. */
const codes: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'])

export function isOwnFailure(error: NodeJS.ErrnoException): boolean {
  return error.code !== undefined && codes.has(error.code)
}
