import { describe, expect, it } from 'vitest'
import type { Placement } from '../../../src/config/placement.ts'
import { movedPorts } from '../../../src/routing/moved-ports.ts'
import { parseScenario } from '../../golden/routing/scenario.ts'

const { config } = parseScenario(`
listeners: [http, narrow http *.example.com, https in.example.com]
routes:
  wide: {hosts: ["*.com", shop.example.com], rules: [/]}
  any: {on: [narrow], rules: [/]}
`)
const moveBy8000: Placement = (_gateway, port) => ({ address: '127.0.0.1', port: port + 8000 })

describe('moved ports', () => {
  it('name the hosts that listener and routes have in common', () => {
    expect(movedPorts(config, moveBy8000)).toEqual([
      { port: 80, placed: 8080, hostnames: ['*.com', '*.example.com', 'shop.example.com'] },
      { port: 443, placed: 8443, hostnames: ['in.example.com'] },
    ])
  })

  it('are none where every port stays, or nothing was said', () => {
    expect(movedPorts(config, undefined)).toEqual([])
    expect(movedPorts(config, (_gateway, port) => ({ address: '0.0.0.0', port }))).toEqual([])
  })
})
