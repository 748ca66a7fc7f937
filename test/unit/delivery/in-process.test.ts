import { describe, expect, it } from 'vitest'
import type { GatewayConfig } from '../../../src/config/config.ts'
import { type GatewayResult, InProcessDelivery } from '../../../src/delivery/in-process.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { gatewayConfig, httpListener } from '../../harness/data-plane.ts'

const placement = () => ({ address: '127.0.0.1', port: 0 })
const good: GatewayResult = {
  ports: [{ port: 80, transport: 'TCP' as const, address: '127.0.0.1', listenPort: 8080 }],
  failedPorts: [],
  failedListeners: [],
}

describe('delivery in a process', () => {
  it('acknowledges the version of each Gateway after the data plane has applied it', async () => {
    const applied: (readonly GatewayConfig[])[] = []
    const delivery = new InProcessDelivery({
      apply: async (configs) => {
        applied.push(configs)
        return new Map(configs.map(({ gateway }) => [gateway, good]))
      },
    })
    const config = gatewayConfig({ listeners: [httpListener(80)] })
    const versions = new Map([[config.gateway, 'v1']])
    expect(await delivery.deliver([config], versions, new Map(), placement)).toEqual(
      new Map([[config.gateway, { ...good, version: 'v1' }]]),
    )
    await delivery.deliver([structuredClone(config)], versions, new Map(), placement)
    expect(applied[1]?.[0]).toBe(applied[0]?.[0])
  })

  it('brings what failed back, and what a later report says of the same version', async () => {
    const failed: GatewayResult = {
      ports: [],
      failedPorts: [{ port: 80, transport: 'TCP' as const, message: 'taken' }],
      failedListeners: [],
    }
    const config = gatewayConfig({ listeners: [httpListener(80)] })
    const delivery = new InProcessDelivery({ apply: async () => new Map([[config.gateway, failed]]) })
    await delivery.deliver([config], new Map([[config.gateway, 'v1']]), new Map(), placement)
    expect(delivery.acknowledgements.get(config.gateway)).toEqual({ ...failed, version: 'v1' })
    expect(await createMetrics(delivery.metrics()).text()).toContain(`gatewright_failed_ports{gateway="${config.gateway}"} 1`)
    delivery.reported(new Map([[config.gateway, good]]))
    expect(delivery.acknowledgements.get(config.gateway)).toEqual({ ...good, version: 'v1' })
    expect(await createMetrics(delivery.metrics()).text()).toContain(`gatewright_config_info{gateway="${config.gateway}",version="v1"} 1`)
  })
})
