/** What the admin port of `run` tells; the shapes of /config, /statuses and /pools are what `explain --admin` reads, /status-tree is what `status --admin` shows. */
import type { AdminSources } from '../admin/admin-server.ts'
import type { InProcessDelivery } from '../delivery/in-process.ts'
import { processMetrics } from '../telemetry/process-metrics.ts'
import type { ServedConfig, ServedStatuses } from './explain-admin.ts'
import { openListeners } from './open-listeners.ts'
import { routeHostnames, routeOf } from './refused-routes.ts'
import type { Serving, View } from './serving.ts'
import type { ServingPlane } from './serving-plane.ts'
import { statusOf } from './status-of.ts'
import { statusTree, type TreeNode } from './status-tree.ts'
import { version } from './version.ts'

interface Parts {
  readonly plane: ServingPlane
  readonly delivery: InProcessDelivery
  readonly serving: Serving
}

export function adminSources({ plane, delivery, serving }: Parts): AdminSources {
  return {
    metrics: plane.metrics([...delivery.metrics(), ...processMetrics(version)]),
    unready: () => (serving.view === undefined ? ['the first configuration is not served yet'] : plane.unready()),
    documents: {
      '/config': () => servedConfig(serving),
      '/statuses': () => servedStatuses(serving),
      '/status-tree': () => (serving.view === undefined ? [] : treeOf(serving.view)),
      '/pools': () => plane.pools(),
      '/findings': () => serving.view?.findings ?? [],
      '/listeners': () => (serving.view === undefined ? [] : openListeners(serving.view)),
      '/version': () => ({ version, node: process.version }),
    },
  }
}

function servedConfig({ view }: Serving): ServedConfig {
  return {
    gateways: (view?.here.configs ?? []).map((config) => ({
      config,
      version: view?.here.versions.get(config.gateway) ?? '',
      ports: view?.served.get(config.gateway)?.ports ?? [],
    })),
  }
}

/** `statuses` as they are here, `cluster` as a cluster would write them. */
function servedStatuses({ view }: Serving): ServedStatuses {
  return {
    statuses: (view?.here.statuses ?? []).map((status) => {
      const hostnames = routeHostnames(view === undefined ? undefined : routeOf(view.objects, status))
      return { ...status, hostnames }
    }),
    cluster: view?.cluster.statuses ?? [],
    kindnesses: (view?.kindnesses ?? []).map(({ text }) => text),
  }
}

function treeOf({ here, overlaid, routes }: View): TreeNode[] {
  return statusTree({
    objects: overlaid,
    statusOf: (kind, namespace, name) => statusOf(here.statuses, { kind, namespace, name })?.status,
    routes,
  })
}
