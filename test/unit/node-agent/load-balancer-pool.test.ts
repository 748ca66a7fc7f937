import { describe, expect, it } from 'vitest'
import { LoadBalancerPool } from '../../cluster/services/load-balancer-pool.ts'

describe('the pool of load balancers', () => {
  it('gives a Service one address, again and again', () => {
    const pool = new LoadBalancerPool()
    expect(pool.grant('a', undefined)).toBe('10.245.0.1')
    expect(pool.grant('b', '')).toBe('10.245.0.2')
    expect(pool.grant('a', undefined)).toBe('10.245.0.1')
  })

  it('grants what is asked for, or nothing', () => {
    const pool = new LoadBalancerPool()
    expect(pool.grant('a', '198.51.100.1')).toBeUndefined()
    expect(pool.grant('a', '10.245.0.255')).toBeUndefined()
    expect(pool.grant('a', '10.245.0.250')).toBe('10.245.0.250')
    expect(pool.grant('b', '10.245.0.250')).toBeUndefined()
  })

  it('takes back what a Service held when it asks for something else', () => {
    const pool = new LoadBalancerPool()
    pool.grant('a', '10.245.0.250')
    expect(pool.grant('a', '198.51.100.1')).toBeUndefined()
    expect(pool.grant('b', '10.245.0.250')).toBe('10.245.0.250')
  })

  it('gives an address again only after all others', () => {
    const pool = new LoadBalancerPool()
    pool.grant('a', undefined)
    pool.release('a')
    expect(pool.grant('b', undefined)).toBe('10.245.0.2')
    for (let n = 0; n < 197; n += 1) pool.grant(`c${n}`, undefined)
    expect(pool.grant('d', undefined)).toBe('10.245.0.1')
    expect(pool.grant('e', undefined)).toBeUndefined()
  })
})
