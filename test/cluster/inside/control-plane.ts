/** etcd, API server and controller manager with the flags that a cluster of one node, one machine and one hour needs. */
import { join } from 'node:path'
import { API_PORT, NODE, SERVICE_NETWORK } from '../addresses.ts'
import type { Binaries } from '../programs/binaries.ts'
import { Component } from './component.ts'

const ETCD = 'http://127.0.0.1:23790'
const ETCD_PEER = 'http://127.0.0.1:23800'
const CONTROLLERS = [
  'deployment-controller',
  'replicaset-controller',
  'endpointslice-controller',
  'namespace-controller',
  'garbage-collector-controller',
  'serviceaccount-controller',
  'root-ca-certificate-publisher-controller',
]

export interface Folders {
  readonly pki: string
  readonly data: string
  readonly log: string
  readonly kubeconfig: string
}

export interface ControlPlane {
  readonly etcd: Component
  readonly apiServer: Component
  readonly controllerManager: Component
}

export function controlPlane(binaries: Binaries, folders: Folders, onEnd: (what: string) => void): ControlPlane {
  const component = (name: string, program: string, args: readonly string[]): Component =>
    new Component(name, program, args, join(folders.log, `${name}.log`), onEnd)
  return {
    etcd: component('etcd', binaries.etcd, etcdFlags(folders)),
    apiServer: component('kube-apiserver', binaries.apiServer, apiServerFlags(folders)),
    controllerManager: component('kube-controller-manager', binaries.controllerManager, controllerManagerFlags(folders)),
  }
}

function etcdFlags({ data }: Folders): readonly string[] {
  return [
    '--name=box',
    `--data-dir=${join(data, 'etcd')}`,
    // The data lie in memory and live as long as the cluster.
    '--unsafe-no-fsync',
    '--log-level=warn',
    `--listen-client-urls=${ETCD}`,
    `--advertise-client-urls=${ETCD}`,
    `--listen-peer-urls=${ETCD_PEER}`,
    `--initial-advertise-peer-urls=${ETCD_PEER}`,
    `--initial-cluster=box=${ETCD_PEER}`,
  ]
}

function apiServerFlags({ pki, data }: Folders): readonly string[] {
  return [
    `--etcd-servers=${ETCD}`,
    // Pods reach it through the node's address.
    '--bind-address=0.0.0.0',
    `--secure-port=${API_PORT}`,
    `--advertise-address=${NODE}`,
    // services/rules.ts leads Service default/kubernetes to it; endpoints that come and go with it would only be noise.
    '--endpoint-reconciler-type=none',
    `--cert-dir=${join(data, 'apiserver')}`,
    `--tls-cert-file=${join(pki, 'apiserver.crt')}`,
    `--tls-private-key-file=${join(pki, 'apiserver.key')}`,
    `--client-ca-file=${join(pki, 'ca.crt')}`,
    '--authorization-mode=Node,RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(pki, 'sa.pub')}`,
    `--service-account-signing-key-file=${join(pki, 'sa.key')}`,
    `--service-cluster-ip-range=${SERVICE_NETWORK}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--allow-privileged',
    '--enable-priority-and-fairness=false',
    '--profiling=false',
    '--event-ttl=15m',
  ]
}

function controllerManagerFlags({ pki, kubeconfig }: Folders): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    '--secure-port=0',
    '--authentication-skip-lookup',
    `--controllers=${CONTROLLERS.join(',')}`,
    `--root-ca-file=${join(pki, 'ca.crt')}`,
    '--kube-api-qps=300',
    '--kube-api-burst=600',
  ]
}
