import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { readOnce } from '../../../src/sources/file/read-once.ts'
import { objectKey } from '../../../src/sources/source.ts'

const path = relative('.', fileURLToPath(new URL('../../fixtures/folders/home-cluster', import.meta.url)))

it('a repository as people have it gives its objects with the namespaces and names that its tools would give them', () => {
  const read = readOnce({ paths: [path], unknownVariables: 'localhost' })
  expect(read.objects.map(objectKey)).toEqual([
    'Gateway/edge/internal',
    'HTTPRoute/shop/shop',
    'Service/shop/shop',
    'ConfigMap/flux-system/cluster-settings',
  ])
  expect(read.objects).toMatchObject([
    { spec: { listeners: [{ hostname: '*.secret-domain.localhost' }] } },
    { spec: { hostnames: ['store.secret-domain.localhost'], rules: [{ backendRefs: [{ port: 8080 }] }] } },
    {},
    {},
  ])
  expect(read.certificates).toMatchObject([{ namespace: 'edge', secretName: 'wildcard-tls' }])
  expect(read.foreign.map(({ kind, count }) => `${count} ${kind}`)).toEqual([
    '1 Certificate',
    '1 HelmRelease',
    '2 Kustomization',
    '1 OCIRepository',
    '1 SecurityPolicy',
  ])
})

it('a repository as people have it gets one finding for each thing that a person should know', () => {
  const { findings } = readOnce({ paths: [path], unknownVariables: 'localhost' })
  expect(findings.map(({ severity, message, at }) => `${severity} ${message} [${at?.line}:${at?.column}]`)).toEqual([
    'note an object that SOPS encrypted is not read [1:1]',
    `warning Nothing gives \${SECRET_DOMAIN} a value (used in 2 places); hostnames with it are served under .localhost [11:17]`,
    `note ${path}/apps/shop/app/kustomization.yaml would also change objects by labels; the files are read as they stand [1:1]`,
    'warning this policy of Envoy Gateway (authorization) is NOT enforced here; it would guard HTTPRoute shop/shop [1:1]',
    'warning holds 1 route (films.${SECRET_DOMAIN}) that only Helm can render [1:1]',
  ])
  expect(findings.at(-1)?.fix).toEqual({
    text: `yq 'select(.kind == "HelmRelease" and .metadata.name == "films") | .spec.values' ${path}/apps/media/app/release.yaml | helm template films oci://charts.example.com/app-template --version '4.1.0' --namespace media --values - | gatewright run -`,
  })
})
