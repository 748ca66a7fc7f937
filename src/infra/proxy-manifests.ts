/**
 * The objects of a Gateway's proxies: Deployment, Service, ServiceAccount, PodDisruptionBudget and, where it is asked for,
 * HorizontalPodAutoscaler. Pure: the same plan gives the same objects.
 *
 * The pods may do nothing but serve: no credentials of the API, no root, no capabilities, nothing to write but memory.
 * Ports below 1024 are open to them through a setting of their own network.
 */
import type { ParametersSpec, ServiceParameters } from '../api/parameters.ts'
import type { KubeObject, Resource } from '../kube/kube-api.ts'
import { parseDuration } from '../lib/duration.ts'
import { parseIp } from '../lib/ip.ts'
import type { GatewayPlan, InfraSettings, PlanOwner } from './gateway-plan.ts'
import { withoutKept } from './kept-annotations.ts'

export interface Manifest {
  readonly resource: Resource
  readonly object: KubeObject
}

export const proxyResources = {
  serviceAccount: { group: '', version: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount', namespaced: true },
  service: { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true },
  deployment: { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', namespaced: true },
  disruptionBudget: { group: 'policy', version: 'v1', plural: 'poddisruptionbudgets', kind: 'PodDisruptionBudget', namespaced: true },
  autoscaler: {
    group: 'autoscaling',
    version: 'v2',
    plural: 'horizontalpodautoscalers',
    kind: 'HorizontalPodAutoscaler',
    namespaced: true,
  },
} as const satisfies Readonly<Record<string, Resource>>

/** Everything of ours bears it, and nothing else does. */
export const managedBy = { 'app.kubernetes.io/managed-by': 'gatewright' } as const

export function isManaged({ metadata }: Pick<KubeObject, 'metadata'>): boolean {
  return Object.entries(managedBy).every(([name, value]) => metadata.labels?.[name] === value)
}

const proxyLabel = { 'gatewright.dev/component': 'proxy' } as const
const gatewayNameLabel = 'gateway.networking.k8s.io/gateway-name'

const firstAdminPort = 15_000
const defaultDrainDelay = '5s'
const defaultDrainTimeout = '30s'
/** Milliseconds between the last connection's end and that of the process. */
const exitTime = 5_000
const userId = 65_532
const credentialsPath = '/etc/gatewright/credentials'
const statePath = '/run/gatewright'

/** Name of the Secret with the certificate that a Gateway's proxies show to the controllers. */
export function credentialsName(name: string): string {
  return `${name}-credentials`
}

export function proxyManifests(plan: GatewayPlan, owner: PlanOwner, settings: InfraSettings): readonly Manifest[] {
  const parameters = { ...settings.defaults, ...plan.parameters }
  const { autoscaling } = parameters
  return [
    { resource: proxyResources.serviceAccount, object: serviceAccount(plan, owner) },
    { resource: proxyResources.service, object: service(plan, owner, parameters, plan.name) },
    { resource: proxyResources.deployment, object: deployment(plan, owner, parameters, settings) },
    { resource: proxyResources.disruptionBudget, object: disruptionBudget(plan, owner) },
    ...(autoscaling === undefined ? [] : [{ resource: proxyResources.autoscaler, object: autoscaler(plan, owner, autoscaling) }]),
    ...addressServices(plan, parameters).map((name) => ({
      resource: proxyResources.service,
      object: service(plan, owner, parameters, name),
    })),
  ]
}

function described({ group, version, kind }: Resource, { namespace, name, labels, annotations }: GatewayPlan, owner: PlanOwner) {
  return {
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    metadata: {
      name,
      namespace,
      labels: { ...labels, ...managedBy },
      annotations: withoutKept(annotations),
      ownerReferences: [
        { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', name: owner.name, uid: owner.uid, controller: true },
      ],
    },
  }
}

function selectorOf({ labels }: GatewayPlan) {
  return { [gatewayNameLabel]: labels[gatewayNameLabel] ?? '', ...proxyLabel }
}

function serviceAccount(plan: GatewayPlan, owner: PlanOwner): KubeObject {
  return { ...described(proxyResources.serviceAccount, plan, owner), automountServiceAccountToken: false }
}

/** Last of all, since an address that cannot be had must not stand in the way of what serves. Only load balancers have addresses to ask for. */
function addressServices({ name, addresses }: GatewayPlan, parameters: ParametersSpec): readonly string[] {
  return serviceType(parameters) === 'LoadBalancer' ? addresses.map(({ service }) => service).filter((one) => one !== name) : []
}

function serviceType({ service: { type = 'LoadBalancer' } = {} }: ParametersSpec): NonNullable<ServiceParameters['type']> {
  return type
}

function service(plan: GatewayPlan, owner: PlanOwner, parameters: ParametersSpec, name: string): KubeObject {
  const base = described(proxyResources.service, plan, owner)
  const { annotations, loadBalancerClass, externalTrafficPolicy } = parameters.service ?? {}
  const asking = plan.addresses.find((one) => one.service === name)
  // Where others ask for every address the Gateway's own Service is its name within the cluster.
  const wanted = serviceType(parameters)
  const type = wanted === 'LoadBalancer' && plan.addresses.length > 0 && asking === undefined ? 'ClusterIP' : wanted
  const address = asking?.value
  return {
    ...base,
    metadata: { ...base.metadata, name, annotations: withoutKept({ ...plan.annotations, ...annotations }) },
    spec: {
      type,
      selector: selectorOf(plan),
      ports: plan.ports.map(({ name: port, port: number, protocol }) => ({ name: port, port: number, targetPort: number, protocol })),
      ...(type === 'LoadBalancer' && address !== undefined && { loadBalancerIP: address, ...familyOf(address) }),
      ...(type === 'LoadBalancer' && loadBalancerClass !== undefined && { loadBalancerClass }),
      ...(type !== 'ClusterIP' && externalTrafficPolicy !== undefined && { externalTrafficPolicy }),
    },
  }
}

/** The cluster's first family is not always that of the address. */
function familyOf(address: string): object {
  return { ipFamilyPolicy: 'SingleStack', ipFamilies: [parseIp(address)?.version === 6 ? 'IPv6' : 'IPv4'] }
}

function deployment(plan: GatewayPlan, owner: PlanOwner, parameters: ParametersSpec, settings: InfraSettings): KubeObject {
  const { replicas = 1, autoscaling, pod = {} } = parameters
  const labels = { ...plan.labels, ...managedBy, ...proxyLabel }
  return {
    ...described(proxyResources.deployment, plan, owner),
    spec: {
      // With an autoscaler the number is its own.
      ...(autoscaling === undefined && { replicas }),
      // Said so that nobody else can say otherwise: what is left out is whose who adds it.
      paused: false,
      selector: { matchLabels: selectorOf(plan) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels, annotations: withoutKept({ ...plan.annotations, ...pod.annotations }) },
        spec: podSpec(plan, parameters, settings),
      },
    },
  }
}

function podSpec(plan: GatewayPlan, parameters: ParametersSpec, { image, controller }: InfraSettings) {
  const { pod = {}, drain = {} } = parameters
  const delay = milliseconds(drain.delay ?? defaultDrainDelay)
  const timeout = milliseconds(drain.timeout ?? defaultDrainTimeout)
  const adminPort = adminPortBeside(plan)
  const probe = (path: string, periodSeconds: number, failureThreshold: number) => ({
    httpGet: { path, port: adminPort },
    periodSeconds,
    failureThreshold,
  })
  return {
    serviceAccountName: plan.name,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: Math.ceil((delay + timeout + exitTime) / 1000),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: userId,
      runAsGroup: userId,
      fsGroup: userId,
      seccompProfile: { type: 'RuntimeDefault' },
      sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
    },
    ...(pod.nodeSelector !== undefined && { nodeSelector: pod.nodeSelector }),
    ...(pod.tolerations !== undefined && { tolerations: pod.tolerations }),
    ...(pod.affinity !== undefined && { affinity: pod.affinity }),
    ...(pod.topologySpreadConstraints !== undefined && { topologySpreadConstraints: pod.topologySpreadConstraints }),
    ...(pod.priorityClassName !== undefined && { priorityClassName: pod.priorityClassName }),
    containers: [
      {
        name: 'proxy',
        image,
        // The image's own, and nobody else's.
        command: [],
        args: proxyArguments(plan, parameters, { controller, adminPort, delay, timeout }),
        env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        ports: [
          ...plan.ports.map(({ name, port, protocol }) => ({ name, containerPort: port, protocol })),
          { name: 'admin', containerPort: adminPort, protocol: 'TCP' },
        ],
        readinessProbe: probe('/readyz', 1, 1),
        livenessProbe: probe('/healthz', 10, 3),
        resources: pod.resources ?? { requests: { cpu: '100m', memory: '128Mi' } },
        securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        volumeMounts: [
          { name: 'credentials', mountPath: credentialsPath, readOnly: true },
          { name: 'state', mountPath: statePath },
        ],
      },
    ],
    volumes: [
      { name: 'credentials', secret: { secretName: credentialsName(plan.name) } },
      { name: 'state', emptyDir: { medium: 'Memory' } },
    ],
  }
}

interface ProxyPlaces {
  readonly controller: string
  readonly adminPort: number
  readonly delay: number
  readonly timeout: number
}

/** As the command line says it. */
const forwardedCertificates = { Details: 'details', WithCertificate: 'with-certificate' } as const

function proxyArguments(
  plan: GatewayPlan,
  { workers, log = {}, trustedProxies = [], trustedHops, proxyProtocol, forwardClientCertificate = 'Off', bounds = {} }: ParametersSpec,
  { controller, adminPort, delay, timeout }: ProxyPlaces,
): readonly string[] {
  const options: Readonly<Record<string, string>> = {
    gateway: plan.gateway,
    controller,
    credentials: credentialsPath,
    state: statePath,
    'admin-port': String(adminPort),
    'drain-delay': String(delay),
    'access-log': log.access ?? 'json',
    'log-level': log.level ?? 'info',
    'log-format': log.format ?? 'json',
  }
  const wire = { 'drain-time': timeout, ...bounds }
  return [
    'proxy',
    ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    ...(workers === undefined ? [] : [`--workers=${workers}`]),
    ...trustedProxies.map((range) => `--trust=${range}`),
    ...(trustedHops === undefined ? [] : [`--trusted-hops=${trustedHops}`]),
    ...(proxyProtocol?.acceptFrom ?? []).map((range) => `--accept-proxy-protocol=${range}`),
    ...(forwardClientCertificate === 'Off' ? [] : [`--forward-client-certificate=${forwardedCertificates[forwardClientCertificate]}`]),
    ...Object.entries(wire).map(([name, value]) => `--bound=${name}=${value}`),
  ]
}

/** The listeners' ports come first. */
function adminPortBeside({ ports }: GatewayPlan): number {
  const taken = new Set(ports.map(({ port }) => port))
  let port = firstAdminPort
  while (taken.has(port)) port += 1
  return port
}

/** One pod at a time, also where there is only one: a node can always be emptied. */
function disruptionBudget(plan: GatewayPlan, owner: PlanOwner): KubeObject {
  return {
    ...described(proxyResources.disruptionBudget, plan, owner),
    spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf(plan) } },
  }
}

function autoscaler(plan: GatewayPlan, owner: PlanOwner, wanted: NonNullable<ParametersSpec['autoscaling']>): KubeObject {
  const { minReplicas, maxReplicas, cpuUtilization } = wanted
  return {
    ...described(proxyResources.autoscaler, plan, owner),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: plan.name },
      minReplicas,
      maxReplicas,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpuUtilization } } }],
    },
  }
}

/** The API has judged it before. */
function milliseconds(duration: string): number {
  return parseDuration(duration) ?? 0
}
