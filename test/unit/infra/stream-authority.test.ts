import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { GatewayPlan } from '../../../src/infra/gateway-plan.ts'
import { newAuthoritySecret, StreamAuthority } from '../../../src/infra/stream-authority.ts'
import type { KubeObject } from '../../../src/kube/kube-api.ts'

const day = 24 * 60 * 60 * 1000
const now = Date.parse('2026-06-01T00:00:00Z')
const plan: GatewayPlan = {
  gateway: 'infra/web',
  namespace: 'infra',
  name: 'web-c',
  labels: { a: 'b' },
  annotations: {},
  ports: [],
  addresses: [],
}
const owner = { name: 'web', uid: 'u1' }
const identity = 'gatewright://gateway/infra/web'

const value = (secret: KubeObject, name: string): string =>
  Buffer.from((secret['data'] as Record<string, string>)[name] ?? '', 'base64').toString('utf8')
const certificate = (secret: KubeObject): X509Certificate => new X509Certificate(value(secret, 'tls.crt'))

describe('the authority of the configuration stream', () => {
  const secret = newAuthoritySecret('system', 'authority', now)
  const authority = StreamAuthority.of(secret)

  it('signs a certificate for a Gateway’s proxies, which belongs to the Gateway', () => {
    const made = authority.proxySecret(plan, owner, identity, undefined, now)
    expect(made.metadata).toMatchObject({
      namespace: 'infra',
      name: 'web-c-credentials',
      labels: { a: 'b' },
      ownerReferences: [{ uid: 'u1' }],
    })
    expect(certificate(made).subjectAltName).toBe(`URI:${identity}`)
    expect(certificate(made).verify(certificate(secret).publicKey)).toBe(true)
    expect(Buffer.from(value(made, 'session.key'), 'base64')).toHaveLength(32)
  })

  it('keeps it while it holds, and renews it with a third of its life left; the key of sessions stays', () => {
    const made = authority.proxySecret(plan, owner, identity, undefined, now)
    expect(authority.proxySecret(plan, owner, identity, made, now + 59 * day)).toEqual(made)
    const renewed = authority.proxySecret(plan, owner, identity, made, now + 61 * day)
    expect(value(renewed, 'tls.crt')).not.toBe(value(made, 'tls.crt'))
    expect(value(renewed, 'session.key')).toBe(value(made, 'session.key'))
  })

  it('replaces what is not its own: another authority, another Gateway, no certificate at all', () => {
    const made = authority.proxySecret(plan, owner, identity, undefined, now)
    const other = StreamAuthority.of(newAuthoritySecret('system', 'authority', now)).proxySecret(plan, owner, identity, made, now)
    expect(value(other, 'ca.crt')).not.toBe(value(made, 'ca.crt'))
    expect(value(authority.proxySecret(plan, owner, 'gatewright://gateway/infra/else', made, now), 'tls.crt')).not.toBe(
      value(made, 'tls.crt'),
    )
    const broken: KubeObject = { ...made, data: { ...(made['data'] as object), 'tls.crt': 'AAAA' } }
    expect(certificate(authority.proxySecret(plan, owner, identity, broken, now)).subjectAltName).toBe(`URI:${identity}`)
  })

  it('says which Secret is of no use', () => {
    expect(() => StreamAuthority.of({ ...secret, data: {} })).toThrow(
      'Cannot sign certificates of proxies: Secret system/authority must hold tls.crt and tls.key; delete it for a new one',
    )
  })

  it('signs for the controllers, and says when to do it again', () => {
    const { certificate: pem, renewAt } = authority.server('controller.gatewright.internal', now)
    expect(new X509Certificate(pem).checkHost('controller.gatewright.internal')).toBe('controller.gatewright.internal')
    expect(Math.round((renewAt - now) / day)).toBe(60)
  })
})
