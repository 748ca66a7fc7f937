import { describe, expect, it } from 'vitest'
import type { GatewayConfig } from '../../../src/config/config.ts'
import { resourcesOf } from '../../../src/delivery/gateway-resources.ts'
import { parseCidr } from '../../../src/lib/cidr.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { configMessage, type Delivered, placementFrom, withMessage } from '../../../src/workers/config-message.ts'
import type { ConfigMessage } from '../../../src/workers/messages.ts'
import { optionsOf, settingsOf } from '../../../src/workers/settings.ts'
import { gatewayConfig, httpListener, pool, routeTo } from '../../harness/data-plane.ts'

const listener = httpListener(80)
const [web, api] = [pool('web', 3_000), pool('api', 3_001)]
const certificate = { fingerprint: 'f', chain: 'chain', names: ['a.example'] }
const config = gatewayConfig({
  listeners: [listener],
  pools: [web, api],
  routes: [routeTo(web, [listener]), routeTo(api, [listener])],
  certificates: [certificate],
})
const keys = new Map([['f', new Secret('the key')]])
const moved = (_gateway: string, port: number) => ({ address: '127.0.0.1', port: port + 8_000 })

const delivered = (...configs: readonly GatewayConfig[]): Delivered => new Map(configs.map((one) => [one.gateway, resourcesOf(one, keys)]))
const sent = (message: ConfigMessage): ConfigMessage => JSON.parse(JSON.stringify(message)) as ConfigMessage

describe('a configuration on its way to a worker', () => {
  it('arrives whole, with keys and places', () => {
    const message = sent(configMessage(new Map(), delivered(config), moved, 7))
    expect(message.number).toBe(7)
    const [resources] = withMessage(new Map(), message).values()
    expect(resources?.config).toEqual(config)
    expect(resources?.keys.get('f')?.reveal()).toBe('the key')
    expect(placementFrom(message.places)(config.gateway, 80)).toEqual({ address: '127.0.0.1', port: 8_080 })
    expect(() => placementFrom(message.places)(config.gateway, 81)).toThrow('Cannot place port 81')
  })

  it('carries what changed, and leaves the rest the same objects', () => {
    const other = { ...config, gateway: 'default/other' }
    const first = withMessage(new Map(), sent(configMessage(new Map(), delivered(config, other), moved, 1)))
    const changed = { ...config, pools: [web, pool('api', 3_002)] }
    const message = sent(configMessage(delivered(config, other), delivered(changed, other), moved, 2))
    expect(message.gateways[1]).toEqual({ gateway: 'default/other' })
    expect(JSON.stringify(message.gateways[0])).not.toContain('3000')
    const second = withMessage(first, message)
    expect(second.get('default/other')).toBe(first.get('default/other'))
    const [before, after] = [first.get(config.gateway)?.config, second.get(config.gateway)?.config]
    expect(after).toEqual(changed)
    expect(after?.routes).toBe(before?.routes)
    expect(after?.pools[0]).toBe(before?.pools[0])
  })

  it('takes away a Gateway that is not named any more', () => {
    const message = sent(configMessage(delivered(config), delivered(), moved, 3))
    expect(withMessage(delivered(config), message)).toEqual(new Map())
  })

  it('does not apply to what is not there', () => {
    const message = sent(configMessage(delivered(config), delivered({ ...config, pools: [api] }), moved, 2))
    expect(() => withMessage(new Map(), message)).toThrow('Cannot apply a change')
  })
})

describe('the settings of a worker', () => {
  it('are those of the proxy, through JSON', () => {
    const trusted = ['10.0.0.0/8', '2001:db8::/32'].flatMap((text) => parseCidr(text) ?? [])
    const options = {
      bounds: { headTime: 1 },
      upgrades: ['websocket'],
      trusted,
      trustedHops: 2,
      sessionKeys: [new Secret('one'), new Secret('two')],
      ticketSecret: new Secret('three'),
      acceptProxyProtocol: trusted.slice(1),
      forwardClientCertificate: 'details' as const,
      nameServers: ['192.0.2.53'],
      namesMayBeLocal: true,
      zone: 'a',
      debugHeader: true,
    }
    const arrived = optionsOf(JSON.parse(JSON.stringify(settingsOf(options, 'json'))) as ReturnType<typeof settingsOf>)
    expect({ ...arrived, sessionKeys: [], ticketSecret: 0 }).toEqual({ ...options, sessionKeys: [], ticketSecret: 0 })
    expect(arrived.sessionKeys?.map((key) => key.reveal())).toEqual(['one', 'two'])
    expect(arrived.ticketSecret?.reveal()).toBe('three')
  })
})
