import { describe, expect, it } from 'vitest'
import { emptyResources } from '../../../src/delivery/gateway-resources.ts'
import type { FromController } from '../../../src/delivery/messages.ts'
import { ProxySession, type Published } from '../../../src/delivery/proxy-session.ts'

const GATEWAY = 'infra/web'
const published = (version: string): Published => ({ version, resources: emptyResources(GATEWAY) })

function session() {
  const sent: FromController[] = []
  const made = new ProxySession(GATEWAY, (message) => sent.push(message))
  made.receive({ kind: 'hello', protocol: 1, pod: 'pod' })
  const configs = () => sent.flatMap((message) => (message.kind === 'config' ? [{ from: message.from, to: message.to }] : []))
  return { made, configs }
}

describe('what a controller sends to a proxy', () => {
  it('begins at what the proxy has, and waits for the answer before there is more', () => {
    const { made, configs } = session()
    made.publish(published('1'))
    made.publish(published('2'))
    made.publish(published('3'))
    expect(configs()).toEqual([{ from: '', to: '1' }])
    made.receive({ kind: 'serves', version: '1', answers: 1 })
    expect(configs()).toEqual([
      { from: '', to: '1' },
      { from: '1', to: '3' },
    ])
  })

  it('is still a change, not everything, when the proxy serves what another controller gave it and this one has passed by', () => {
    const { made, configs } = session()
    made.publish(published('1'))
    made.receive({ kind: 'follows-other', answers: 1 })
    for (const version of ['2', '3', '4']) made.publish(published(version))
    made.receive({ kind: 'serves', version: '2' })
    expect(configs()).toEqual([
      { from: '', to: '1' },
      { from: '2', to: '4' },
    ])
  })

  it('is everything for a version that nobody here has published', () => {
    const { made, configs } = session()
    made.receive({ kind: 'serves', version: 'of another time' })
    made.publish(published('1'))
    expect(configs()).toEqual([{ from: '', to: '1' }])
  })
})
