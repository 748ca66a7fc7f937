import { describe, expect, it } from 'vitest'
import { listenFailure } from '../../../src/proxy/listener/listen-failure.ts'

function words(code: string, address: string, port: number): string {
  return listenFailure(address, port, Object.assign(new Error(`listen ${code}`), { code }))
}

describe('the words for a socket that could not be opened', () => {
  it.each([
    ['EADDRINUSE', '127.0.0.1', 80, 'Cannot listen on 127.0.0.1:80: port 80 must be free, got one that another process uses'],
    [
      'EACCES',
      '::',
      80,
      'Cannot listen on [::]:80: port 80 must be one that this user may open, got permission denied (ports below 1024 need root or CAP_NET_BIND_SERVICE)',
    ],
    ['EACCES', '::1', 8080, 'Cannot listen on [::1]:8080: port 8080 must be one that this user may open, got permission denied'],
    [
      'EADDRNOTAVAIL',
      '192.0.2.1',
      80,
      'Cannot listen on 192.0.2.1:80: 192.0.2.1 must be an address of this machine, got one that no interface has',
    ],
    ['ENOTFOUND', 'nowhere', 80, 'Cannot listen on nowhere:80: the address must be an IP address, got nowhere'],
    ['EWHATEVER', '::1', 80, 'Cannot listen on [::1]:80: listen EWHATEVER'],
  ])('%s on %s', (code, address, port, expected) => {
    expect(words(code, address, port)).toBe(expected)
  })
})
