/** `run` on Gateways as clusters have them. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { RunningGateway } from '../../harness/running-gateway.ts'
import { folderOf, gateway, gatewayClass } from './folder.ts'

describe('a Gateway that asks for an address of its cluster', () => {
  const folder = (): string =>
    folderOf({
      'gateway.yaml': `${gateway('{name: http, protocol: HTTP, port: 80}')}  addresses: [{type: IPAddress, value: 192.0.2.7}]\n---\n${gatewayClass}`,
    })

  it('is programmed here, at an address of this machine', async () => {
    const running = await RunningGateway.start([folder()])
    onTestFinished(() => void running.close())
    expect(running.ready.listeners.map(({ address }) => address)).toEqual(['127.0.0.1'])
    const { statuses } = (await (await fetch(`${running.ready.admin}/statuses`)).json()) as {
      statuses: { kind: string; status: { conditions: { type: string; status: string }[] } }[]
    }
    const conditions = statuses.find(({ kind }) => kind === 'Gateway')?.status.conditions ?? []
    expect(conditions.map(({ type, status }) => `${type} ${status}`)).toContain('Programmed True')
  })
})
