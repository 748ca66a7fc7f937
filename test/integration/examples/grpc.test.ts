import { describe, expect, it, onTestFinished } from 'vitest'
import type { EchoAnswer } from '../../../src/standalone/echo.ts'
import { ExampleCopy } from '../../harness/example-copy.ts'
import { GrpcTextClient, type TextCall } from '../../harness/grpc-text-client.ts'
import { RunningGateway } from '../../harness/running-gateway.ts'

const host = 'grpc.example.com'
const unimplemented = 12

async function running() {
  const files = new ExampleCopy('grpc')
  const gateway = await RunningGateway.start([files.path])
  onTestFinished(async () => {
    expect(await gateway.close(), gateway.stderr).toBe(0)
  })
  return { files, gateway }
}

function clientOf(gateway: RunningGateway, scheme: 'http' | 'https' = 'http'): GrpcTextClient {
  const place = gateway.place(`${scheme}://${host}/`)
  const client = new GrpcTextClient(place, host, scheme === 'https' ? gateway.authority : undefined)
  onTestFinished(() => client.close())
  return client
}

function answerOf({ code, text }: TextCall): EchoAnswer {
  expect([code, text]).toEqual([0, expect.stringMatching(/^\{/)])
  return JSON.parse(text) as EchoAnswer
}

describe('the calls of examples/grpc', () => {
  it.each(['http', 'https'] as const)('[feature:GRPCRoute] go by service, method and header, over %s', async (scheme) => {
    const { gateway } = await running()
    const client = clientOf(gateway, scheme)
    expect(answerOf(await client.call('/shop.v1.Catalogue/Find', 'a book', { 'x-tenant': 'blue' }))).toMatchObject({
      service: 'catalogue',
      namespace: 'shop',
      protocol: 'HTTP/2.0',
      path: '/shop.v1.Catalogue/Find',
      host,
      headers: { 'x-tenant': 'blue', 'x-forwarded-proto': scheme },
      bodySize: 13,
    })
    expect(answerOf(await client.call('/shop.v1.Catalogue/Find', '', { 'x-beta': 'yes' })).service).toBe('catalogue-beta')
    expect(await client.call('/shop.v1.Orders/Cancel')).toMatchObject({ code: unimplemented })
  })

  it('are shared nine to one between the stable version and the canary', async () => {
    const { gateway } = await running()
    const client = clientOf(gateway)
    const calls = await Promise.all(Array.from({ length: 200 }, () => client.call('/shop.v1.Orders/Place', 'one book')))
    const services = calls.map((call) => answerOf(call).service)
    expect(new Set(services)).toEqual(new Set(['orders', 'orders-canary']))
    expect(Math.abs(services.filter((service) => service === 'orders-canary').length - 20)).toBeLessThanOrEqual(2)
  })

  it('that stream go on while the route changes', async () => {
    const { files, gateway } = await running()
    const client = clientOf(gateway)
    let saved = false
    const [first = '', ...rest] = await client.converse('/shop.v1.Catalogue/Browse', ['one', 'two', 'three'], async () => {
      if (saved) return
      saved = true
      files.save('route.yaml', files.read('route.yaml').replace('service: shop.v1.Orders', 'service: shop.v2.Orders'))
      await gateway.change(({ changed }) => changed, 'the saved route')
    })
    expect(JSON.parse(first)).toMatchObject({ service: 'catalogue', path: '/shop.v1.Catalogue/Browse' })
    expect(rest).toEqual(['two', 'three'])
    expect((await client.call('/shop.v1.Orders/Place')).code).toBe(unimplemented)
    expect(answerOf(await client.call('/shop.v2.Orders/Place')).service).toMatch(/^orders/)
  })
})
