/**
 * `gatewright controller`: watches the API server, keeps the proxies of every Gateway of its classes, tells them what to
 * serve, and writes what came of it. Every controller translates and serves the configuration stream; the one that holds
 * the Lease writes.
 */
import { randomUUID } from 'node:crypto'
import { AdminServer } from '../admin/admin-server.ts'
import { Loop } from '../controller/loop.ts'
import { controllerName as streamName } from '../delivery/messages.ts'
import { StreamServer } from '../delivery/stream-server.ts'
import { newAuthoritySecret, type ServerCredentials, StreamAuthority } from '../infra/stream-authority.ts'
import { managedBy, proxyResources } from '../infra/proxy-manifests.ts'
import { KubeClient } from '../kube/client.ts'
import { loadCredentials } from '../kube/credentials.ts'
import { delay } from '../kube/delay.ts'
import type { KubeApi, KubeObject } from '../kube/kube-api.ts'
import { isKubeError } from '../kube/kube-error.ts'
import { LeaderElection } from '../kube/lease.ts'
import { microTime } from '../kube/micro-time.ts'
import { hostPort } from '../lib/host-port.ts'
import { KubernetesSource } from '../sources/kubernetes/kubernetes-source.ts'
import { createLogger, type Logger, type LogLevel } from '../telemetry/logger.ts'
import { createMetrics, type MetricFamily } from '../telemetry/metrics.ts'
import { processMetrics } from '../telemetry/process-metrics.ts'
import { ClusterServing } from './cluster-serving.ts'
import { ClusterWriting, secretResource } from './cluster-writing.ts'
import { adminPort, listenAddress, ownController } from './flags.ts'
import { listenAdmin } from './listen-admin.ts'
import { untilSignal } from './until-signal.ts'
import { UserError } from './user-error.ts'
import { version } from './version.ts'

export interface ControllerFlags {
  readonly kubeconfig?: string
  readonly context?: string
  readonly controllerName?: string
  readonly proxyImage: string
  readonly namespace: string
  readonly pod: string
  readonly podIp?: string
  readonly service: string
  readonly streamPort: string
  readonly streamAddress?: string
  readonly address: string
  readonly adminPort: string
  readonly logLevel: LogLevel
  readonly logFormat: 'text' | 'json'
}

const authorityName = 'gatewright-stream-authority'
const leaseName = 'gatewright'
/** Milliseconds between looks at what no event tells of: certificates that want to be renewed. */
const regularly = 10 * 60 * 1000

const now = (): number => performance.now()

export async function controller(flags: ControllerFlags): Promise<number> {
  const logger = createLogger({ level: flags.logLevel, format: flags.logFormat, write: (line) => process.stderr.write(line) })
  const controllerName = flags.controllerName ?? ownController
  const { kubeconfig, context, namespace } = flags
  const credentials = await loadCredentials({
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(context !== undefined && { context }),
  })
  const client = (deadline: number): KubeClient =>
    new KubeClient({ credentials, userAgent: `gatewright/${version}`, deadline, random: Math.random, delay })
  const api = client(15_000)
  const source = new KubernetesSource({
    api,
    controllerName,
    owned: Object.entries(managedBy)
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    logger,
    random: Math.random,
    delay,
    now,
  })

  const asked = untilSignal()
  const authority = await openAuthority(api, namespace, logger)
  let server: ServerCredentials = authority.server(streamName, Date.now())
  const stream = new StreamServer({ credentials: server, logger, onChange: () => loop.lookAgain() })
  const serving = new ClusterServing({
    source,
    stream,
    translate: { controllerName, anyClassIsOurs: false },
    now,
    later: (milliseconds) => void setTimeout(() => loop.lookAgain(), milliseconds).unref(),
  })
  const writing = new ClusterWriting({
    api,
    source,
    controllerName,
    instance: flags.pod,
    authority,
    settings: { image: flags.proxyImage, controller: await streamAddress(api, flags), defaults: {} },
    logger,
  })
  const election = new LeaderElection({
    api: client(1_000),
    lease: { namespace, name: leaseName },
    identity: `${flags.pod}_${randomUUID()}`,
    onLead: (epoch) => {
      logger.info('leads', { epoch })
      stream.epoch = epoch
      writes.lookAgain()
    },
    onFollow: () => {
      logger.info('follows')
      stream.epoch = 0
    },
    failing: (error) => logger.warn('the Lease could not be renewed', { reason: error.message }),
    now,
    timestamp: () => microTime(new Date()),
    delay,
  })
  const passes = { count: 0, failed: 0, seconds: 0 }
  const failed = (what: string) => (error: unknown) => {
    passes.failed += 1
    logger.error(what, { reason: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
  const loop = new Loop(async () => {
    const began = now()
    const { objects } = await serving.pass()
    stream.peers = peersIn(objects, flags)
    passes.count += 1
    passes.seconds += (now() - began) / 1000
    writes.lookAgain()
  }, failed('a pass failed'))
  /** Beside the passes, since it waits for the API server; always from the last one. */
  const writes = new Loop(async () => {
    if (election.isLeader && serving.view !== undefined) await writing.write(serving.view)
  }, failed('writing failed'))

  let synced = false
  const admin = new AdminServer({
    metrics: createMetrics([
      ...controllerMetrics(passes, () => election.isLeader),
      ...stream.metrics(),
      ...writing.metrics(),
      ...processMetrics(version),
    ]),
    unready: () => (synced ? [] : ['the objects of the cluster are not known yet']),
    documents: {
      '/findings': () => [...source.read().findings, ...(serving.view?.translation.findings ?? [])],
      '/statuses': () => ({ statuses: serving.view?.translation.statuses ?? [] }),
      '/leader': () => ({ leads: election.isLeader, epoch: election.epoch }),
      '/version': () => ({ version, node: process.version }),
    },
  })
  const timer = setInterval(() => {
    if (server.renewAt < Date.now()) {
      server = authority.server(streamName, Date.now())
      stream.renew(server)
    }
    writes.lookAgain()
  }, regularly)
  await listenAdmin(admin, listenAddress(flags.address), adminPort(flags.adminPort))
  try {
    await Promise.race([source.start(() => loop.lookAgain()), asked])
    loop.lookAgain()
    await loop.settled()
    synced = true
    // Proxies come when there is something to tell them.
    await stream.listen(listenAddress(flags.address), adminPort(flags.streamPort))
    logger.info('follows the cluster', { server: credentials.server, controllerName, version })
    election.start()
    await asked
  } finally {
    clearInterval(timer)
    // First, so that another one leads at once.
    await election.stop()
    writing.stop()
    await source.stop()
    await Promise.all([loop.stop(), writes.stop()])
    await stream.close()
    await admin.close()
  }
  return 0
}

/** Of two controllers that start together one makes it, and both use it. */
async function openAuthority(api: KubeApi, namespace: string, logger: Logger): Promise<StreamAuthority> {
  for (;;) {
    try {
      const found = await api.get(secretResource, { namespace, name: authorityName })
      return StreamAuthority.of(found ?? (await createAuthority(api, namespace)))
    } catch (error) {
      if (isKubeError(error, 409)) continue
      if (isKubeError(error, 403) || isKubeError(error, 401) || isKubeError(error, 404))
        throw new UserError(
          `Cannot start the controller: it must be able to keep Secret ${namespace}/${authorityName}, got: ${error.message}`,
          1,
          error,
        )
      if (!isKubeError(error, 0)) throw error
      logger.warn('the API server cannot be reached yet', { reason: error.message })
      await delay(1_000)
    }
  }
}

function createAuthority(api: KubeApi, namespace: string): Promise<KubeObject> {
  return api.create(secretResource, newAuthoritySecret(namespace, authorityName, Date.now()))
}

/** The cluster's address of the controllers' Service needs no DNS and outlives every controller. */
async function streamAddress(api: KubeApi, { streamAddress: given, namespace, service, streamPort }: ControllerFlags): Promise<string> {
  if (given !== undefined) return given
  const found = await api.get(proxyResources.service, { namespace, name: service })
  const address = (found?.['spec'] as { readonly clusterIP?: string } | undefined)?.clusterIP
  if (address === undefined || address === '' || address === 'None') {
    throw new UserError(
      `Cannot start the controller: Service ${namespace}/${service} must be there and have a cluster IP, so that proxies find the controllers; ` +
        'apply deploy/gatewright.yaml, or name an address with --stream-address',
      1,
    )
  }
  return hostPort(address, streamPort)
}

/** Every controller that is there, by the address of its pod; none where this one runs outside of the cluster. */
function peersIn(
  objects: NonNullable<ClusterServing['view']>['objects'],
  { namespace, service, streamPort, podIp }: ControllerFlags,
): readonly string[] {
  if (podIp === undefined) return []
  const slices = objects.bucket('slicesByService', `${namespace}/${service}`)
  const addresses = slices.flatMap(({ endpoints }) => endpoints.flatMap((endpoint) => endpoint.addresses))
  return [...new Set(addresses)].sort().map((address) => hostPort(address, streamPort))
}

function controllerMetrics(
  passes: { readonly count: number; readonly failed: number; readonly seconds: number },
  leads: () => boolean,
): readonly MetricFamily[] {
  return [
    {
      kind: 'counter',
      name: 'gatewright_passes_total',
      help: 'Passes from the objects of the cluster to what shall be served, by outcome.',
      labels: ['outcome'],
      samples: () => [
        { labels: { outcome: 'done' }, value: passes.count },
        { labels: { outcome: 'failed' }, value: passes.failed },
      ],
    },
    {
      kind: 'counter',
      name: 'gatewright_pass_seconds_total',
      help: 'Time spent in passes.',
      labels: [],
      samples: () => [{ labels: {}, value: passes.seconds }],
    },
    {
      kind: 'gauge',
      name: 'gatewright_leader',
      help: '1 while this controller holds the Lease.',
      labels: [],
      samples: () => [{ labels: {}, value: leads() ? 1 : 0 }],
    },
  ]
}
