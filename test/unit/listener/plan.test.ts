import { describe, expect, it } from 'vitest'
import { plan } from '../../../src/proxy/listener/plan.ts'
import { gatewayConfig, httpListener, httpsListener } from '../../harness/data-plane.ts'

const identity = (_gateway: string, port: number) => ({ address: '0.0.0.0', port })

describe('the plan of sockets', () => {
  it('has one socket for each port, with all of its listeners', () => {
    const config = gatewayConfig({ listeners: [httpListener(80, 'a.example'), httpsListener(443, '', []), httpListener(80, 'b.example')] })
    const { ports, failures } = plan([config], identity)
    expect(failures).toEqual([])
    expect(ports.map(({ key, kind, listeners }) => [key, kind, listeners.map(({ hostname }) => hostname)])).toEqual([
      ['http 0.0.0.0 80', 'http', ['a.example', 'b.example']],
      ['tls 0.0.0.0 443', 'tls', ['']],
    ])
  })

  it('gives a port of two Gateways to the first of them, also when they speak differently', () => {
    const first = gatewayConfig({ gateway: 'a/a', listeners: [httpListener(80)] })
    const second = gatewayConfig({ gateway: 'b/b', listeners: [httpsListener(80, '', []), httpListener(81)] })
    const { ports, failures } = plan([first, second], identity)
    expect(ports.map(({ gateway, port }) => [gateway, port])).toEqual([
      ['a/a', 80],
      ['b/b', 81],
    ])
    expect(failures).toEqual([
      {
        gateway: 'b/b',
        port: 80,
        transport: 'TCP',
        message: 'Cannot listen on 0.0.0.0:80: the address must be free, got one where port 80 of Gateway a/a listens',
      },
    ])
  })

  it('lets Gateways share a port on addresses of their own, and leaves ports that the system chooses apart', () => {
    const configs = ['a/a', 'b/b'].map((gateway) => gatewayConfig({ gateway, listeners: [httpListener(80)] }))
    const own = plan(configs, (gateway) => ({ address: gateway === 'a/a' ? '127.0.0.1' : '127.0.0.2', port: 80 }))
    expect(own.ports.map(({ key }) => key)).toEqual(['http 127.0.0.1 80', 'http 127.0.0.2 80'])
    const chosen = plan(configs, () => ({ address: '127.0.0.1', port: 0 }))
    expect(new Set(chosen.ports.map(({ key }) => key)).size).toBe(2)
  })
})
