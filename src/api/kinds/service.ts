/** Service (Kubernetes core/v1): what routing needs of it, validated as pkg/apis/core/validation does. */
import { isIp } from '../../lib/ip.ts'
import type { Service } from '../core.ts'
import { isQualifiedName, labelValue, keysAreQualified, QUALIFIED_NAME } from '../fields/selector.ts'
import { port, subdomainPattern } from '../fields/text.ts'
import { show } from '../issue.ts'
import { labelName } from '../metadata.ts'
import { list, map } from '../schema/collection.ts'
import { defaulted, listOrEmpty, object, optional, required } from '../schema/object.ts'
import { oneOf, text, truth } from '../schema/scalar.ts'
import { firstRepeated } from '../schema/repeated.ts'
import { rule, ruled } from '../schema/schema.ts'
import type { Rule, Schema } from '../schema/schema.ts'
import { root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'

/** IsValidPortName: a name of RFC 6335 section 5.1. */
function isPortName(name: string): boolean {
  return name.length <= 15 && /^[a-z0-9](?:-?[a-z0-9])*$/.test(name) && /[a-z]/.test(name)
}

/** The name of a port, where empty is none. */
export const portName = text({
  max: 63,
  pattern: /^(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)?$/,
  is: 'empty or a DNS label (lower case letters, digits and "-")',
})

export const appProtocol = ruled(text(), [
  rule<string>('qualified-name', (self) => (isQualifiedName(self) ? undefined : { must: `must be ${QUALIFIED_NAME}`, got: show(self) })),
])

const targetPort: Schema<number | string> = {
  read(value, at) {
    if (typeof value === 'number') return port.read(value, at)
    if (typeof value === 'string' && isPortName(value)) return value
    at.error('target-port', 'must be a port number or the name of a port (at most 15 lower case letters, digits and "-")', show(value))
    return undefined
  },
}

const servicePort = object(
  {
    name: optional(portName),
    port: required(port),
    protocol: defaulted(oneOf('TCP', 'UDP', 'SCTP'), 'TCP'),
    appProtocol: optional(appProtocol),
    targetPort: optional(targetPort),
  },
  { unread: ['nodePort'] },
)

interface Port {
  readonly name?: string
  readonly port: number
  readonly protocol: string
}

/** ValidateServicePort: several ports are told apart by name. */
const portNamesAreSet: Rule<readonly Port[]> = rule('service-port-name', (self) => {
  const index = self.length > 1 ? self.findIndex(({ name }) => name === undefined || name === '') : -1
  return index < 0 ? undefined : { at: [index, 'name'], must: 'must be set where a Service has several ports', got: 'nothing' }
})

const portNamesDiffer: Rule<readonly Port[]> = rule('service-port-name-unique', (self) => {
  const index = firstRepeated(self, ({ name }) => (name === '' ? undefined : name))
  return index < 0 ? undefined : { at: [index, 'name'], must: 'must be unique within the Service', got: `${show(self[index]?.name)} twice` }
})

const portsDiffer: Rule<readonly Port[]> = rule('service-port-unique', (self) => {
  const index = firstRepeated(self, ({ port, protocol }) => `${protocol} ${port}`)
  return index < 0
    ? undefined
    : {
        at: [index],
        must: 'must differ from the other ports in port or protocol',
        got: `${self[index]?.protocol} ${self[index]?.port} twice`,
      }
})

interface Spec {
  readonly type: string
  readonly clusterIP?: string
  readonly externalName?: string
  readonly ports: readonly unknown[]
}

const portsAreSet: Rule<Spec> = rule('service-ports-required', (self) =>
  self.ports.length === 0 && self.clusterIP !== 'None' && self.type !== 'ExternalName'
    ? { at: ['ports'], must: 'must have an item unless the Service is headless or of type ExternalName', got: 'nothing' }
    : undefined,
)

const externalNameIsDns: Rule<Spec> = rule('service-external-name', (self) => {
  if (self.type !== 'ExternalName') return undefined
  const name = (self.externalName ?? '').replace(/\.$/, '')
  return name.length <= 253 && subdomainPattern.test(name)
    ? undefined
    : { at: ['externalName'], must: 'must be a DNS name in lower case for type ExternalName', got: show(self.externalName) }
})

const clusterIpIsIp: Rule<Spec> = rule('service-cluster-ip', (self) => {
  const { type, clusterIP = '' } = self
  if (clusterIP === '') return undefined
  if (type === 'ExternalName') return { at: ['clusterIP'], must: 'must be absent for type ExternalName', got: show(clusterIP) }
  if (clusterIP === 'None' && type !== 'ClusterIP')
    return { at: ['clusterIP'], must: `must not be None for type ${type}`, got: show(clusterIP) }
  return clusterIP === 'None' || isIp(clusterIP)
    ? undefined
    : { at: ['clusterIP'], must: 'must be None or an IP address', got: show(clusterIP) }
})

const spec = object(
  {
    type: defaulted(oneOf('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'), 'ClusterIP'),
    clusterIP: optional(text()),
    externalName: optional(text()),
    selector: optional(map(labelValue, { nullIs: '', rules: [keysAreQualified] })),
    ports: listOrEmpty(list(servicePort, { rules: [portNamesAreSet, portNamesDiffer, portsDiffer] })),
    publishNotReadyAddresses: optional(truth()),
  },
  {
    rules: [portsAreSet, externalNameIsDns, clusterIpIsIp],
    unread: [
      'allocateLoadBalancerNodePorts',
      'clusterIPs',
      'externalIPs',
      'externalTrafficPolicy',
      'healthCheckNodePort',
      'internalTrafficPolicy',
      'ipFamilies',
      'ipFamilyPolicy',
      'loadBalancerClass',
      'loadBalancerIP',
      'loadBalancerSourceRanges',
      'sessionAffinity',
      'sessionAffinityConfig',
      'topologyKeys',
      'trafficDistribution',
    ],
  },
)

/** ValidateServiceName asked for a letter first (RFC 1035) until KEP-5311 relaxed it; many clusters still do. */
const serviceName: Schema<string> = {
  read(value, at) {
    const name = labelName.read(value, at)
    if (name !== undefined && /^[0-9]/.test(name))
      at.warn('service-name-digit', 'must begin with a letter, or older clusters refuse it', show(name))
    return name
  },
}

const schema: Schema<Service> = object(
  { ...root('v1', 'Service', 'Namespaced', serviceName), spec: required(spec) },
  { unread: ['status'] },
)

export const service: KindDefinition = { group: '', kind: 'Service', scope: 'Namespaced', served: versions(schema, 'v1') }
