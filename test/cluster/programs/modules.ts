/** What is built from which Go module of test/cluster/modules, and how. Versions are pinned by their go.mod and go.sum. */
import { join } from 'node:path'
import { checkout } from '../checkout.ts'

export interface GoModule {
  readonly name: 'kubernetes' | 'etcd' | 'suite'
  readonly folder: string
  readonly products: readonly Product[]
  /** Modules that are read, not built: their folders are kept beside the programs. */
  readonly sources: readonly string[]
}

interface Product {
  readonly program: string
  /** Arguments of `go` without `-o`. */
  readonly arguments: readonly string[]
}

const KUBERNETES = 'v1.36.3'
const versionPackage = 'k8s.io/component-base/version'
const kubernetesFlags = `-s -w -X ${versionPackage}.gitVersion=${KUBERNETES} -X ${versionPackage}.gitMajor=1 -X ${versionPackage}.gitMinor=36`

const kubernetesProgram = (program: string): Product => ({
  program,
  arguments: ['build', '-trimpath', '-ldflags', kubernetesFlags, `k8s.io/kubernetes/cmd/${program}`],
})

/** `kubectl` is built only where the machine has none. */
export function goModules(withKubectl: boolean): readonly GoModule[] {
  return [
    {
      name: 'kubernetes',
      folder: folderOf('kubernetes'),
      products: ['kube-apiserver', 'kube-controller-manager', ...(withKubectl ? ['kubectl'] : [])].map(kubernetesProgram),
      sources: [],
    },
    {
      name: 'etcd',
      folder: folderOf('etcd'),
      products: [{ program: 'etcd', arguments: ['build', '-trimpath', '-ldflags', '-s -w', 'go.etcd.io/etcd/server/v3'] }],
      sources: [],
    },
    {
      name: 'suite',
      folder: folderOf('suite'),
      products: [
        {
          program: 'echo-basic',
          arguments: ['build', '-trimpath', '-ldflags', '-s -w', 'sigs.k8s.io/gateway-api-conformance-images/echo-basic'],
        },
        { program: 'conformance.test', arguments: ['test', '-c', '-trimpath', '-ldflags', '-s -w', '.'] },
      ],
      sources: ['sigs.k8s.io/gateway-api', 'sigs.k8s.io/gateway-api/conformance'],
    },
  ]
}

function folderOf(name: string): string {
  return join(checkout, 'test/cluster/modules', name)
}
