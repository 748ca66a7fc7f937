import { describe, expect, it } from 'vitest'
import type { KubeSecret } from '../../../src/api/core.ts'
import { certificateOf } from '../../../src/translate/certificate.ts'
import { keyPairs } from '../../golden/translate/key-pairs.ts'

const pem = (name: string, part: 'crt' | 'key') => keyPairs[name]?.[part] ?? ''

function secret(crt: string, key: string): KubeSecret {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'cert', namespace: 'infra', generation: 1, labels: {}, annotations: {} },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(crt), 'tls.key': base64(key) },
  }
}

describe('the certificate in a Secret', () => {
  it('may be a chain: the leaf comes first, text between the blocks is ignored', () => {
    const result = certificateOf(secret(`subject=leaf\n${pem('api', 'crt')}\nissuer\r\n${pem('other', 'crt')}`, pem('api', 'key')))
    expect(result).toMatchObject({ kind: 'certificate', certificate: { names: ['api.example.com'] } })
    expect(result.kind === 'certificate' && result.certificate.chain.match(/BEGIN/g)?.length).toBe(2)
  })

  it('has another fingerprint for another chain', () => {
    const fingerprint = (crt: string) => {
      const result = certificateOf(secret(crt, pem('api', 'key')))
      return result.kind === 'certificate' ? result.certificate.fingerprint : result.problem
    }
    expect(fingerprint(pem('api', 'crt'))).toMatch(/^[0-9a-f]{64}$/)
    expect(fingerprint(pem('api', 'crt'))).not.toBe(fingerprint(pem('api', 'crt') + pem('other', 'crt')))
  })

  it('may have the parameters of its curve before the key', () => {
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'
    expect(certificateOf(secret(pem('api', 'crt'), parameters + pem('api', 'key')))).toMatchObject({ kind: 'certificate' })
  })

  it('never shows its key', () => {
    const result = certificateOf(secret(pem('api', 'crt'), pem('api', 'key')))
    expect(JSON.stringify(result)).not.toContain('PRIVATE')
    expect(JSON.stringify(result)).toContain('[redacted]')
  })

  it.each([
    ['without a certificate', '', pem('api', 'key'), 'has no tls.crt'],
    ['without a key', pem('api', 'crt'), '', 'has no tls.key'],
    ['with a key in the place of the certificate', pem('api', 'key'), pem('api', 'key'), 'holds no PEM certificate in tls.crt'],
    [
      'with a broken second certificate',
      `${pem('api', 'crt')}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`,
      pem('api', 'key'),
      'holds a malformed certificate in tls.crt (number 2)',
    ],
    [
      'with a broken key',
      pem('api', 'crt'),
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----',
      'holds no usable PEM private key in tls.key',
    ],
    [
      'with the key of another certificate',
      pem('api', 'crt'),
      pem('other', 'key'),
      'holds a tls.key that does not belong to the first certificate of tls.crt',
    ],
  ])('is malformed %s', (_, crt, key, problem) => {
    expect(certificateOf(secret(crt, key))).toEqual({ kind: 'malformed', problem })
  })

  it('is malformed in a Secret of another type', () => {
    expect(certificateOf({ ...secret(pem('api', 'crt'), pem('api', 'key')), type: 'Opaque' })).toMatchObject({ kind: 'malformed' })
  })
})
