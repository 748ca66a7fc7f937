/**
 * The first process inside the cluster's namespaces. Arguments: the run folder, and the programs (Binaries as JSON).
 * It starts everything in order, makes the file `ready`, and stays: as process 1 its end is the end of all that runs here.
 */
import { readFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiClient } from '../api-client.ts'
import { readKubeconfig } from '../kubeconfig.ts'
import { NodeAgent } from '../node/agent.ts'
import { imagesOf } from '../node/images.ts'
import { serveLogs } from '../node/log-server.ts'
import type { Binaries } from '../programs/binaries.ts'
import { ServiceAgent } from '../services/agent.ts'
import { serveControl } from './control.ts'
import { controlPlane } from './control-plane.ts'
import { applyCrds } from './crds.ts'
import { setUpNetwork } from './network.ts'
import { makePki } from './pki.ts'
import { runTool } from './run-tool.ts'

const began = performance.now()

function log(line: string): void {
  process.stdout.write(`${((performance.now() - began) / 1000).toFixed(2)} ${line}\n`)
}

async function main(folder: string, binaries: Binaries): Promise<void> {
  const data = join(folder, 'data')
  // Both are seen in this mount namespace only, and go with it.
  await runTool('mount', ['-t', 'tmpfs', '-o', 'mode=700', 'tmpfs', data])
  await runTool('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run'])
  for (const name of ['pki', 'etcd', 'apiserver', 'pods']) mkdirSync(join(data, name), { mode: 0o700 })
  const [pki] = await Promise.all([makePki(join(data, 'pki')), setUpNetwork()])
  const kubeconfig = join(folder, 'admin.kubeconfig')
  writeFileSync(kubeconfig, pki.admin, { mode: 0o600 })
  log('network and certificates are there')

  const plane = controlPlane(binaries, { pki: pki.folder, data, log: join(folder, 'log'), kubeconfig }, end)
  plane.etcd.start()
  plane.apiServer.start()
  const client = new ApiClient(readKubeconfig(kubeconfig))
  await untilHealthy(client)
  log('the API server is ready')
  plane.controllerManager.start()

  const hostsFile = join(data, 'hosts')
  const services = new ServiceAgent(client, hostsFile, log)
  const node = new NodeAgent(client, imagesOf(binaries.echoBasic), join(data, 'pods'), hostsFile, log)
  const read = (name: string): string => readFileSync(join(pki.folder, name), 'utf8')
  await Promise.all([
    applyCrds(client, binaries.gatewayApi).then(() => log('the CRDs are served')),
    services.start().then(() => node.start()),
    serveLogs(read('node.crt'), read('node.key'), (...where) => node.logOf(...where)),
    serveControl(join(folder, 'control.sock'), [plane.etcd, plane.apiServer, plane.controllerManager]),
  ])
  log('the cluster is up')
  writeFileSync(join(folder, 'ready'), '')
}

async function untilHealthy(client: ApiClient): Promise<void> {
  for (;;) {
    try {
      await client.text('/readyz')
      return
    } catch {
      await delay(50)
    }
  }
}

function end(what: string): void {
  log(what)
  process.exit(1)
}

process.on('unhandledRejection', (error) => end(`a failure that nobody waited for: ${(error as Error).stack}`))
const [folder = '', binaries = '{}'] = process.argv.slice(2)
main(folder, JSON.parse(binaries) as Binaries).catch((error: unknown) => end(String((error as Error).stack)))
