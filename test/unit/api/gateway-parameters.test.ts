import { describe, expect, it } from 'vitest'
import { issues, parsed } from './manifest.ts'

const parameters = (spec?: object) => ({
  apiVersion: 'gatewright.dev/v1alpha1',
  kind: 'GatewayParameters',
  metadata: { name: 'own', namespace: 'infra' },
  ...(spec !== undefined && { spec }),
})

describe('GatewayParameters', () => {
  it('may say nothing', () => {
    expect(parsed('GatewayParameters', parameters()).spec).toEqual({})
  })

  it('takes what is Kubernetes’ own as it is', () => {
    const pod = {
      resources: { limits: { memory: '1Gi' } },
      tolerations: [{ key: 'edge', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
    }
    expect(parsed('GatewayParameters', parameters({ pod })).spec).toEqual({ pod })
  })

  it.each([
    [{ replicas: -1 }, 'minimum at spec.replicas'],
    [{ replicas: 2, autoscaling: { maxReplicas: 3 } }, 'replicas-or-autoscaling at spec.replicas'],
    [{ autoscaling: { minReplicas: 4, maxReplicas: 3 } }, 'replicas-order at spec.autoscaling.maxReplicas'],
    [{ autoscaling: {} }, 'required at spec.autoscaling.maxReplicas'],
    [{ service: { type: 'ExternalName' } }, 'enum at spec.service.type'],
    [{ log: { level: 'trace' } }, 'enum at spec.log.level'],
    [{ drain: { delay: '5' } }, 'pattern at spec.drain.delay'],
    [{ drain: { delay: '700h' } }, 'drain-time at spec.drain.delay'],
    [{ drain: { timeout: '9000h' } }, 'drain-time at spec.drain.timeout'],
    [{ trustedProxies: ['10.0.0.0/40'] }, 'cidr at spec.trustedProxies[0]'],
    [{ workers: 0 }, 'minimum at spec.workers'],
    [{ workers: 65 }, 'maximum at spec.workers'],
    [{ trustedHops: 17 }, 'maximum at spec.trustedHops'],
    [{ proxyProtocol: {} }, 'required at spec.proxyProtocol.acceptFrom'],
    [{ proxyProtocol: { acceptFrom: [] } }, 'too-few at spec.proxyProtocol.acceptFrom'],
    [{ proxyProtocol: { acceptFrom: Array(65).fill('10.0.0.1') } }, 'too-many at spec.proxyProtocol.acceptFrom'],
    [{ proxyProtocol: { acceptFrom: ['fd00::/8', 'lb.example.com'] } }, 'cidr at spec.proxyProtocol.acceptFrom[1]'],
    [{ forwardClientCertificate: 'details' }, 'enum at spec.forwardClientCertificate'],
    [{ bounds: { 'head-time': 1.5 } }, 'type at spec.bounds.head-time'],
    [{ pod: { resources: [] } }, 'type at spec.pod.resources'],
  ])('refuses %j: %s', (spec, issue) => {
    expect(issues(parameters(spec))).toEqual([issue])
  })

  it('takes drains of up to a week, which proxies start with', () => {
    const drain = { delay: '168h', timeout: '167h59m60s' }
    expect(parsed('GatewayParameters', parameters({ drain })).spec).toEqual({ drain })
  })

  it('warns of a field that it does not have', () => {
    expect(issues(parameters({ replica: 1 }))).toEqual(['unknown-field at spec.replica'])
  })
})
