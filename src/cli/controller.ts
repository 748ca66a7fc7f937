/**
 * `gatewright controller`: watches the API server, keeps the proxies of every Gateway of its classes, tells them what to
 * serve, and writes what came of it. Every controller translates and serves the configuration stream; the one that holds
 * the Lease writes.
 */
import { randomUUID } from 'node:crypto'
import { AdminServer } from '../admin/admin-server.ts'
import { controllerName as streamName } from '../delivery/messages.ts'
import { StreamServer } from '../delivery/stream-server.ts'
import type { ServerCredentials, StreamAuthority } from '../infra/stream-authority.ts'
import { managedBy } from '../infra/proxy-manifests.ts'
import { KubeClient } from '../kube/client.ts'
import { loadCredentials } from '../kube/credentials.ts'
import { delay } from '../kube/delay.ts'
import type { KubeApi } from '../kube/kube-api.ts'
import { LeaderElection } from '../kube/lease.ts'
import { microTime } from '../kube/micro-time.ts'
import { KubernetesSource } from '../sources/kubernetes/kubernetes-source.ts'
import { createLogger, type Logger, type LogLevel } from '../telemetry/logger.ts'
import { createMetrics, type MetricFamily } from '../telemetry/metrics.ts'
import { processMetrics } from '../telemetry/process-metrics.ts'
import { ClusterServing } from './cluster-serving.ts'
import { ClusterWriting } from './cluster-writing.ts'
import { type ControllerPlace, peersIn, streamAddress } from './controller-addresses.ts'
import { ControllerLoops } from './controller-loops.ts'
import { adminPort, listenAddress, ownController } from './flags.ts'
import { listenAdmin } from './listen-admin.ts'
import { openAuthority } from './open-authority.ts'
import { untilSignal } from './until-signal.ts'
import { version } from './version.ts'

export interface ControllerFlags extends ControllerPlace {
  readonly kubeconfig?: string
  readonly context?: string
  readonly controllerName?: string
  readonly proxyImage: string
  readonly pod: string
  readonly address: string
  readonly adminPort: string
  readonly logLevel: LogLevel
  readonly logFormat: 'text' | 'json'
}

const leaseName = 'gatewright'
/** Milliseconds that the API server has for an answer, and for one about the Lease, which must not wait behind it. */
const apiTime = 15_000
const leaseTime = 1_000
/** Milliseconds between looks at what no event tells of: certificates that want to be renewed. */
const regularly = 10 * 60 * 1000

const now = (): number => performance.now()

export async function controller(flags: ControllerFlags): Promise<number> {
  const logger = createLogger({ level: flags.logLevel, format: flags.logFormat, write: (line) => process.stderr.write(line) })
  const controllerName = flags.controllerName ?? ownController
  const credentials = await loadCredentials({
    ...(flags.kubeconfig !== undefined && { kubeconfig: flags.kubeconfig }),
    ...(flags.context !== undefined && { context: flags.context }),
  })
  const clientWith = (deadline: number, retries = true): KubeClient =>
    new KubeClient({ credentials, userAgent: `gatewright/${version}`, deadline, retries, random: Math.random, delay })
  const api = clientWith(apiTime)
  const source = clusterSource(api, controllerName, logger)

  const asked = untilSignal()
  const authority = await openAuthority(api, flags.namespace, logger)
  const own = new OwnCredentials(authority)
  const stream = new StreamServer({
    credentials: own.current,
    uidOf: (gateway) => source.stored.at('Gateway', gateway)?.metadata.uid,
    logger,
    onChange: () => loops.lookAgain(),
  })
  const serving = new ClusterServing({
    source,
    stream,
    translate: { controllerName, anyClassIsOurs: false, servesOn: true },
    failures: () => writing.failures,
    now,
    later: (milliseconds) => void setTimeout(() => loops.lookAgain(), milliseconds).unref(),
  })
  const writing: ClusterWriting = new ClusterWriting({
    api,
    infraApi: clientWith(apiTime, false),
    source,
    controllerName,
    instance: flags.pod,
    authority,
    settings: { image: flags.proxyImage, controller: await streamAddress(api, flags), defaults: {} },
    logger,
    now,
    later: (milliseconds) => loops.writeLater(milliseconds),
    onFailures: () => loops.lookAgain(),
  })
  const election = leaderElection(clientWith(leaseTime), flags, logger, {
    leads: (epoch) => {
      stream.epoch = epoch
      loops.writeAgain()
    },
    follows: () => {
      stream.epoch = 0
    },
  })
  const loops = new ControllerLoops({
    pass: async () => {
      const { objects } = await serving.pass()
      stream.peers = peersIn(objects, flags)
    },
    mayWrite: () => election.isLeader,
    write: async () => {
      if (serving.view !== undefined) await writing.write(serving.view)
    },
    logger,
    now,
  })

  let synced = false
  const parts: ControllerParts = { source, stream, serving, writing, election, loops }
  const admin = controllerAdmin(parts, () => synced)
  const timer = setInterval(() => {
    own.renewed((renewed) => stream.renew(renewed))
    loops.writeAgain()
  }, regularly)
  await listenAdmin(admin, listenAddress(flags.address), adminPort(flags.adminPort))
  try {
    await Promise.race([source.start(() => loops.lookAgain()), asked])
    loops.lookAgain()
    await loops.settled()
    synced = true
    // Proxies come when there is something to tell them.
    await stream.listen(listenAddress(flags.address), adminPort(flags.streamPort))
    logger.info('follows the cluster', { server: credentials.server, controllerName, version })
    election.start()
    await asked
  } finally {
    clearInterval(timer)
    await stop(parts)
    await admin.close()
  }
  return 0
}

interface ControllerParts {
  readonly source: KubernetesSource
  readonly stream: StreamServer
  readonly serving: ClusterServing
  readonly writing: ClusterWriting
  readonly election: LeaderElection
  readonly loops: ControllerLoops
}

async function stop({ source, stream, writing, election, loops }: ControllerParts): Promise<void> {
  // First, so that another one leads at once.
  await election.stop()
  writing.stop()
  await source.stop()
  await loops.stop()
  await stream.close()
}

/** What is read of the cluster: the objects of the API, and what carries our labels. */
function clusterSource(api: KubeClient, controllerName: string, logger: Logger): KubernetesSource {
  const owned = Object.entries(managedBy).map(([name, value]) => `${name}=${value}`)
  return new KubernetesSource({ api, controllerName, owned: owned.join(','), logger, random: Math.random, delay, now })
}

/** What this controller shows to proxies, of the authority that all controllers share. */
class OwnCredentials {
  readonly #authority: StreamAuthority
  current: ServerCredentials

  constructor(authority: StreamAuthority) {
    this.#authority = authority
    this.current = authority.server(streamName, Date.now())
  }

  /** New ones, when it is time for them. */
  renewed(tell: (credentials: ServerCredentials) => void): void {
    if (this.current.renewAt >= Date.now()) return
    this.current = this.#authority.server(streamName, Date.now())
    tell(this.current)
  }
}

/** What becomes of the stream and of the writers. */
interface Leading {
  readonly leads: (epoch: number) => void
  readonly follows: () => void
}

function leaderElection(api: KubeApi, { namespace, pod }: ControllerFlags, logger: Logger, { leads, follows }: Leading): LeaderElection {
  return new LeaderElection({
    api,
    lease: { namespace, name: leaseName },
    identity: `${pod}_${randomUUID()}`,
    onLead: (epoch) => {
      logger.info('leads', { epoch })
      leads(epoch)
    },
    onFollow: () => {
      logger.info('follows')
      follows()
    },
    failing: (error) => logger.warn('the Lease could not be renewed', { reason: error.message }),
    now,
    timestamp: () => microTime(new Date()),
    delay,
  })
}

function controllerAdmin({ source, stream, serving, writing, election, loops }: ControllerParts, synced: () => boolean): AdminServer {
  return new AdminServer({
    metrics: createMetrics([
      ...loops.metrics(),
      leaderMetric(() => election.isLeader),
      ...stream.metrics(),
      ...writing.metrics(),
      ...processMetrics(version),
    ]),
    unready: () => (synced() ? [] : ['the objects of the cluster are not known yet']),
    documents: {
      '/findings': () => [...source.read().findings, ...(serving.view?.translation.findings ?? [])],
      '/statuses': () => ({ statuses: serving.view?.translation.statuses ?? [] }),
      '/leader': () => ({ leads: election.isLeader, epoch: election.epoch }),
      '/version': () => ({ version, node: process.version }),
    },
  })
}

function leaderMetric(leads: () => boolean): MetricFamily {
  return {
    kind: 'gauge',
    name: 'gatewright_leader',
    help: '1 while this controller holds the Lease.',
    labels: [],
    samples: () => [{ labels: {}, value: leads() ? 1 : 0 }],
  }
}
