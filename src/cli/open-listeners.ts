/** The listeners that serve, with the place where each one really listens. */
import type { ListenerConfig } from '../config/listener.ts'
import { transportOf } from '../lib/transport.ts'
import type { View } from './serving.ts'

export interface OpenListener {
  /** Name of the Gateway. */
  readonly gateway: string
  readonly namespace: string
  /** `namespace/name` of the ListenerSet that the listener comes from, null for the Gateway's own. */
  readonly listenerSet: string | null
  readonly listener: string
  readonly protocol: ListenerConfig['protocol']
  /** '' for any. */
  readonly hostname: string
  readonly address: string
  readonly port: number
}

export function openListeners({ here, served }: View): OpenListener[] {
  return here.configs.flatMap((config) => {
    const [namespace = '', gateway = ''] = config.gateway.split('/')
    const open = served.get(config.gateway)?.ports ?? []
    return config.listeners.flatMap(({ key, name, port, protocol, hostname }) => {
      const place = open.find((one) => one.port === port && one.transport === transportOf(protocol))
      if (place === undefined) return []
      const listenerSet = key.startsWith('ListenerSet/') ? key.split('/').slice(1, 3).join('/') : null
      return [{ gateway, namespace, listenerSet, listener: name, protocol, hostname, address: place.address, port: place.listenPort }]
    })
  })
}
