/** `gatewright run` where the system allows it few file descriptors. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../harness/eventually.ts'
import { Http2Client } from '../../harness/http2-client.ts'
import { RunningGateway } from '../../harness/running-gateway.ts'
import { Backend, ok } from '../../harness/scripted-backend.ts'

const manifests = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: default }
spec: { gatewayClassName: any, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: default }
spec: { parentRefs: [{ name: web }], rules: [{ backendRefs: [{ name: web, port: 80 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
`
const url = 'http://a.example/'
/** Half of what is left of 200 after 128 for files and sockets that listen. */
const half = 36

async function scene() {
  const held: (() => void)[] = []
  const web = await Backend.listen((request, connection) => {
    if (request.line.includes('/hold')) held.push(() => ok(request, connection))
    else ok(request, connection)
  })
  onTestFinished(() => web.close())
  const gateway = await RunningGateway.start(['-', '--service', `default/web:80=127.0.0.1:${web.port}`], {
    input: manifests,
    descriptors: 200,
  })
  onTestFinished(async () => void (await gateway.close()))
  const counted = async (series: string): Promise<number> => {
    const text = await (await fetch(`${gateway.ready.admin}/metrics`)).text()
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length + 1),
    )
  }
  return { web, gateway, held, counted, port: gateway.place(url).port }
}

async function connected(port: number): Promise<{ socket: Socket; closed: () => boolean }> {
  const socket = connect(port, '127.0.0.1')
  let closed = false
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  socket.resume()
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return { socket, closed: () => closed }
}

describe('a gateway with few file descriptors', () => {
  it('[wire:connection-limit] closes connections beyond its half of them at once, counts them, and takes new ones when others have gone', async () => {
    const { gateway, counted, port } = await scene()
    const shed = 'gatewright_connections_shed_total{gateway="default/web",port="80",reason="descriptors"}'
    expect(await counted(shed)).toBe(0)
    const many: Awaited<ReturnType<typeof connected>>[] = []
    for (let i = 0; i < half + 10; i++) many.push(await connected(port))
    await eventually(() => many.filter(({ closed }) => closed()).length === 10, 'the end of ten')
    expect(await counted(shed)).toBe(10)
    for (const { socket } of many) socket.destroy()
    await expect.poll(() => counted('gatewright_connections{gateway="default/web",port="80"}')).toBe(0)
    expect((await (await gateway.connect(url)).get('a.example')).status).toBe(200)
    const http2 = await Http2Client.connect(port)
    expect((await http2.request()).status).toBe(200)
    await http2.close()
  })

  it('[wire:exchange-endpoint-limit] answers with 503 what would need more connections to endpoints than the other half, counts it, and serves when there are', async () => {
    const { held, counted, port } = await scene()
    const client = await Http2Client.connect(port)
    onTestFinished(() => client.close())
    const answers = Array.from({ length: half }, () => client.request({ target: '/hold' }))
    await eventually(() => held.length === half, 'all that may be under way', 5_000)
    expect((await client.request()).status).toBe(503)
    expect(await counted('gatewright_upstream_shed_total{pool="Service/default/web:80",reason="process"}')).toBe(1)
    for (const answer of held) answer()
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect((await client.request()).status).toBe(200)
  })
})
