/** Why a socket could not be opened, as a person would say it: the text goes into a status and onto a terminal. */
import { hostPort } from '../../lib/host-port.ts'

export function listenFailure(address: string, port: number, error: NodeJS.ErrnoException): string {
  return `Cannot listen on ${hostPort(address, port)}: ${reason(address, port, error)}`
}

/** What is in the way are answers of our own, to clients of a listener that is gone. */
export function stillAnswering(address: string, port: number): string {
  return `Cannot listen on ${hostPort(address, port)}: port ${port} must be free, got one where clients of a listener that is gone still wait for answers (it opens after them)`
}

function reason(address: string, port: number, error: NodeJS.ErrnoException): string {
  switch (error.code ?? '') {
    case 'EADDRINUSE':
      return `port ${port} must be free, got one that another process uses`
    case 'EACCES':
    case 'EPERM':
      return `port ${port} must be one that this user may open, got permission denied${port < 1024 ? ' (ports below 1024 need root or CAP_NET_BIND_SERVICE)' : ''}`
    case 'EADDRNOTAVAIL':
      return `${address} must be an address of this machine, got one that no interface has`
    case 'EAFNOSUPPORT':
      return `${address} must be of an address family that this machine has, got one that it has not`
    case 'EMFILE':
    case 'ENFILE':
      return 'the process must have a free file descriptor, got none (raise the limit: ulimit -n)'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the address must be an IP address, got ${address}`
    default:
      return error.message
  }
}
