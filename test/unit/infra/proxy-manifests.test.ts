import { describe, expect, it } from 'vitest'
import type { GatewayPlan } from '../../../src/infra/gateway-plan.ts'
import { proxyManifests } from '../../../src/infra/proxy-manifests.ts'

const plan: GatewayPlan = {
  gateway: 'infra/web',
  namespace: 'infra',
  name: 'web-gatewright',
  labels: { team: 'edge', 'gateway.networking.k8s.io/gateway-name': 'web' },
  annotations: { note: 'hello' },
  ports: [
    { name: 'tcp-443', port: 443, protocol: 'TCP' },
    { name: 'udp-53', port: 53, protocol: 'UDP' },
  ],
  addresses: [],
}
const owner = { name: 'web', uid: 'u1' }
const settings = { image: 'gatewright:1', controller: '10.96.0.9:15010', defaults: {} }

interface Pod {
  readonly securityContext: object
  readonly terminationGracePeriodSeconds: number
  readonly automountServiceAccountToken: boolean
  readonly volumes: readonly object[]
  readonly containers: readonly {
    readonly args: readonly string[]
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
    readonly securityContext: object
    readonly readinessProbe: { readonly httpGet: { readonly port: number } }
    readonly resources: object
  }[]
}

function made(one: Partial<GatewayPlan> = {}, defaults: (typeof settings)['defaults'] = {}) {
  const manifests = proxyManifests({ ...plan, ...one }, owner, { ...settings, defaults })
  const of = (kind: string) => manifests.find(({ resource }) => resource.kind === kind)?.object
  const spec = (kind: string) => of(kind)?.['spec'] as Record<string, unknown> | undefined
  const template = spec('Deployment')?.['template'] as { metadata: { labels: object; annotations: object }; spec: Pod }
  const [container] = template.spec.containers
  if (container === undefined) throw new Error('there is no container')
  return { manifests, of, spec, template, pod: template.spec, container }
}

describe('the objects of a Gateway', () => {
  it('bear its labels and annotations and belong to it (GatewayInfrastructure)', () => {
    const { manifests, template } = made()
    expect(manifests.map(({ resource }) => resource.kind)).toEqual(['ServiceAccount', 'Service', 'Deployment', 'PodDisruptionBudget'])
    for (const { object } of manifests) {
      expect(object.metadata).toMatchObject({
        namespace: 'infra',
        name: 'web-gatewright',
        labels: { team: 'edge', 'app.kubernetes.io/managed-by': 'gatewright' },
        annotations: { note: 'hello' },
        ownerReferences: [{ kind: 'Gateway', name: 'web', uid: 'u1', controller: true }],
      })
    }
    expect(template.metadata).toMatchObject({ labels: { team: 'edge' }, annotations: { note: 'hello' } })
  })

  it('bear no annotation that Kubernetes keeps for itself: its controllers would write it again for ever', () => {
    const kept = { 'deployment.kubernetes.io/revision': '77', 'kubectl.kubernetes.io/last-applied-configuration': '{}' }
    const annotations = { ...kept, note: 'hello' }
    const { manifests, template } = made({ annotations, parameters: { service: { annotations }, pod: { annotations } } })
    for (const { object } of manifests) expect(object.metadata.annotations).toEqual({ note: 'hello' })
    expect(template.metadata.annotations).toEqual({ note: 'hello' })
  })

  it('say what nobody else may say otherwise', () => {
    const { spec, container } = made()
    expect(spec('Deployment')).toMatchObject({ paused: false })
    expect(container).toMatchObject({ command: [] })
  })

  it('open each port of the listeners under its own number', () => {
    const { spec, container } = made()
    expect(spec('Service')).toEqual({
      type: 'LoadBalancer',
      selector: { 'gateway.networking.k8s.io/gateway-name': 'web', 'gatewright.dev/component': 'proxy' },
      ports: [
        { name: 'tcp-443', port: 443, targetPort: 443, protocol: 'TCP' },
        { name: 'udp-53', port: 53, targetPort: 53, protocol: 'UDP' },
      ],
    })
    expect(container.ports.map(({ containerPort }) => containerPort)).toEqual([443, 53, 15_000])
  })

  it('let the pods do nothing but serve', () => {
    const { of, pod, container } = made()
    expect(of('ServiceAccount')).toMatchObject({ automountServiceAccountToken: false })
    expect(pod.automountServiceAccountToken).toBe(false)
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
      sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
    })
    expect(container.securityContext).toEqual({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    })
    expect(pod.volumes).toEqual([
      { name: 'credentials', secret: { secretName: 'web-gatewright-credentials' } },
      { name: 'state', emptyDir: { medium: 'Memory' } },
    ])
  })

  it('put the admin port beside those of the listeners', () => {
    const { container } = made({ ports: [15_000, 15_001].map((port) => ({ name: `tcp-${port}`, port, protocol: 'TCP' })) })
    expect(container.readinessProbe.httpGet.port).toBe(15_002)
    expect(container.args).toContain('--admin-port=15002')
  })

  describe('ask for addresses (GatewaySpec.addresses)', () => {
    const any = { type: 'IPAddress', service: 'web-gatewright' }
    const first = { type: 'IPAddress', value: '192.0.2.7', service: 'web-gatewright-1' }
    const second = { type: 'IPAddress', value: '2001:db8::8', service: 'web-gatewright-2' }
    const third = { type: 'IPAddress', service: 'web-gatewright-3' }
    const services = (one: Partial<GatewayPlan>) =>
      made(one)
        .manifests.filter(({ resource }) => resource.kind === 'Service')
        .map(({ object }) => ({ name: object.metadata.name, metadata: object.metadata, spec: object['spec'] as Record<string, unknown> }))

    it('by the Gateway’s own Service where any will do', () => {
      expect(services({ addresses: [any] })).toEqual(services({}))
      expect(services({}).map(({ spec }) => [spec['type'], 'loadBalancerIP' in spec])).toEqual([['LoadBalancer', false]])
    })

    it('each by a Service with all ports, beside one that is the Gateway’s name within the cluster', () => {
      const [own, ...others] = services({ addresses: [first, second] })
      expect(own).toMatchObject({ name: 'web-gatewright', spec: { type: 'ClusterIP' } })
      expect(own?.spec).not.toHaveProperty('loadBalancerIP')
      expect(others.map(({ name }) => name)).toEqual(['web-gatewright-1', 'web-gatewright-2'])
      for (const [at, { name, metadata, spec }] of others.entries()) {
        expect(metadata).toEqual({ ...own?.metadata, name })
        expect(spec).toEqual({
          ...own?.spec,
          type: 'LoadBalancer',
          loadBalancerIP: [first, second][at]?.value,
          ipFamilyPolicy: 'SingleStack',
          ipFamilies: [['IPv4', 'IPv6'][at]],
        })
      }
    })

    it('of both kinds', () => {
      const asked = services({ addresses: [first, any, third] }).map(({ name, spec }) => [name, spec['type'], spec['loadBalancerIP']])
      expect(asked).toEqual([
        ['web-gatewright', 'LoadBalancer', undefined],
        ['web-gatewright-1', 'LoadBalancer', '192.0.2.7'],
        ['web-gatewright-3', 'LoadBalancer', undefined],
      ])
    })

    it('of the load balancers of their class, and as traffic is wanted', () => {
      const [own, other] = services({
        addresses: [first],
        parameters: { service: { loadBalancerClass: 'example.com/lb', externalTrafficPolicy: 'Local' } },
      })
      expect(other?.spec).toMatchObject({ loadBalancerClass: 'example.com/lb', externalTrafficPolicy: 'Local' })
      for (const field of ['loadBalancerClass', 'externalTrafficPolicy']) expect(own?.spec).not.toHaveProperty(field)
    })

    it('last of all, since one that cannot be had must not stand in the way of what serves', () => {
      const kinds = made({ addresses: [first, second] }).manifests.map(({ resource }) => resource.kind)
      expect(kinds).toEqual(['ServiceAccount', 'Service', 'Deployment', 'PodDisruptionBudget', 'Service', 'Service'])
    })

    it.each(['ClusterIP', 'NodePort'] as const)('only of load balancers: not where %s is wanted', (type) => {
      const [own, ...others] = services({ addresses: [first, any], parameters: { service: { type } } })
      expect(own?.spec).toMatchObject({ type })
      expect(own?.spec).not.toHaveProperty('loadBalancerIP')
      expect(others).toEqual([])
      expect(services({ addresses: [first], parameters: { service: { type } } })[0]?.spec).toMatchObject({ type })
    })
  })

  it('follow the parameters', () => {
    const { spec, of, template, pod, container } = made({
      parameters: {
        replicas: 3,
        workers: 4,
        service: { type: 'NodePort', annotations: { cloud: 'yes' }, externalTrafficPolicy: 'Local' },
        pod: { annotations: { scrape: 'yes' }, nodeSelector: { edge: 'true' }, resources: { limits: { memory: '1Gi' } } },
        log: { level: 'warn', format: 'text', access: 'off' },
        drain: { delay: '2s', timeout: '1m' },
        trustedProxies: ['10.0.0.0/8'],
        trustedHops: 2,
        proxyProtocol: { acceptFrom: ['192.0.2.0/24', 'fd00::1'] },
        forwardClientCertificate: 'WithCertificate',
        bounds: { 'head-time': 5_000 },
      },
    })
    expect(spec('Service')).toMatchObject({ type: 'NodePort', externalTrafficPolicy: 'Local' })
    expect(of('Service')?.metadata.annotations).toEqual({ note: 'hello', cloud: 'yes' })
    expect(spec('Deployment')).toMatchObject({ replicas: 3 })
    expect(template.metadata.annotations).toEqual({ note: 'hello', scrape: 'yes' })
    expect(pod).toMatchObject({ nodeSelector: { edge: 'true' }, terminationGracePeriodSeconds: 67 })
    expect(container.resources).toEqual({ limits: { memory: '1Gi' } })
    expect(container.args).toEqual([
      'proxy',
      '--gateway=infra/web',
      '--controller=10.96.0.9:15010',
      '--credentials=/etc/gatewright/credentials',
      '--state=/run/gatewright',
      '--admin-port=15000',
      '--drain-delay=2000',
      '--access-log=off',
      '--log-level=warn',
      '--log-format=text',
      '--workers=4',
      '--trust=10.0.0.0/8',
      '--trusted-hops=2',
      '--accept-proxy-protocol=192.0.2.0/24',
      '--accept-proxy-protocol=fd00::1',
      '--forward-client-certificate=with-certificate',
      '--bound=drain-time=60000',
      '--bound=head-time=5000',
    ])
  })

  it('leave the number of pods to an autoscaler where there is one', () => {
    const { spec } = made({ parameters: { autoscaling: { minReplicas: 2, maxReplicas: 5, cpuUtilization: 60 } } })
    expect(spec('Deployment')).not.toHaveProperty('replicas')
    expect(spec('HorizontalPodAutoscaler')).toMatchObject({ minReplicas: 2, maxReplicas: 5, scaleTargetRef: { name: 'web-gatewright' } })
  })

  it('are the same for the same plan', () => {
    expect(made().manifests).toEqual(made().manifests)
  })
})
