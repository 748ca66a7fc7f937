import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readOnce } from '../../../src/sources/file/read-once.ts'
import { folder } from './folder.ts'
import { configMapYaml, routeYaml } from './manifests.ts'

const object = (apiVersion: string, kind: string, name: string, rest: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n  namespace: team\n${rest}`

function read(files: Readonly<Record<string, string>>) {
  return readOnce({ paths: [folder({ 'a-route.yaml': routeYaml('shop', { namespace: 'team' }), ...files }).path] })
}

function messages(files: Readonly<Record<string, string>>): string[] {
  return read(files).findings.map(({ message }) => message)
}

describe('Helm', () => {
  it('gets one line for all templates of a chart', () => {
    const template = `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: {{ .Release.Name }}\n{{- if .Values.x }}\nspec: {}\n{{- end }}\n`
    const place = folder({
      'chart/Chart.yaml': 'apiVersion: v2\nname: x\n',
      'chart/values.yaml': 'httpRoute:\n  hostnames: [a]\n  parentRefs: [{name: x}]\n',
      'chart/templates/route.yaml': template,
      'chart/templates/sub/other.yaml': template,
    })
    const { findings, objects } = readOnce({ paths: [place.path] })
    expect(objects).toEqual([])
    expect(findings).toMatchObject([
      {
        code: 'helm-template',
        severity: 'warning',
        message: `Cannot read ${join(place.path, 'chart/templates/route.yaml')}, ${join(place.path, 'chart/templates/sub/other.yaml')}: Helm must render them first ({{ ... }})`,
        fix: { text: `helm template ${join(place.path, 'chart')} | gatewright run -` },
      },
    ])
  })

  it('gets one line for a template without its chart', () => {
    const place = folder({ 'r.yaml': routeYaml('r').replace('- r.example.com', '{{- toYaml .Values.hostnames | nindent 4 }}') })
    const { findings } = readOnce({ paths: [place.path] })
    expect(findings).toMatchObject([{ code: 'helm-template', fix: { text: 'helm template CHART | gatewright run -' } }])
  })

  it('is not suspected in the data of a ConfigMap', () => {
    expect(messages({ 'c.yaml': configMapYaml('c', { x: '{{ .Value }}' }) + '  y: |\n    {{ range . }}\n    a: {{ b }}\n' })).toEqual([])
  })

  it('is asked for the routes of a HelmRelease, with the command that renders them', () => {
    const place = folder({
      'release.yaml': object(
        'helm.toolkit.fluxcd.io/v2',
        'HelmRelease',
        'web',
        `spec:
  chart:
    spec:
      chart: app-template
      version: 3.1.0
      sourceRef: {kind: HelmRepository, name: charts}
  values:
    route:
      app:
        hostnames: ["web.\${DOMAIN}"]
        parentRefs: [{name: front}]
      off:
        enabled: false
        hostnames: [off.example.com]
        parentRefs: [{name: front}]
`,
      ),
      'repository.yaml': object('source.toolkit.fluxcd.io/v1', 'HelmRepository', 'charts', 'spec:\n  url: oci://charts.example.com/all\n'),
    })
    const { findings } = readOnce({ paths: [place.path] })
    expect(findings).toMatchObject([
      {
        code: 'helm-routes',
        object: { kind: 'HelmRelease', namespace: 'team', name: 'web' },
        message: 'holds 1 route (web.${DOMAIN}) that only Helm can render',
        fix: {
          text: `yq 'select(.kind == "HelmRelease" and .metadata.name == "web") | .spec.values' ${place.path}/release.yaml | helm template web oci://charts.example.com/all/app-template --version '3.1.0' --namespace team --values - | gatewright run -`,
        },
      },
    ])
  })

  it('is asked for the routes of many HelmReleases in one finding', () => {
    const release = (name: string) =>
      object(
        'helm.toolkit.fluxcd.io/v2',
        'HelmRelease',
        name,
        'spec:\n  values:\n    route:\n      a: {hostnames: [a.example.com]}\n      b: {hostnames: [b.example.com]}\n',
      )
    const place = folder({ 'p.yaml': release('p'), 'q.yaml': `---\n${release('q')}` })
    const { findings } = readOnce({ paths: [place.path] })
    expect(findings).toHaveLength(1)
    expect(findings[0]?.message.split('\n')).toEqual([
      '2 HelmReleases hold 4 routes that only Helm can render',
      'team/p: 2 routes (a.example.com, b.example.com)',
      'team/q: 2 routes (a.example.com, b.example.com)',
    ])
    expect(findings[0]).toMatchObject({ at: { line: 1 }, uses: [{ file: `${place.path}/q.yaml`, line: 2 }] })
    expect(findings[0]?.fix).toMatchObject({ text: expect.stringMatching(/helm template p CHART .*\nyq .*helm template q CHART /) })
  })

  it('is asked for the routes of values, wherever charts put them', () => {
    const place = folder({
      'values-prod.yaml':
        'web:\n  gateway:\n    enabled: true\n    hostnames:\n      - a.example.com\n  other:\n    parentRefs: [{name: x}]\n',
      'values-off.yaml': 'httproute:\n  enabled: false\n  parentRefs: [{name: x}]\n',
      'elsewhere.yaml': 'ingress:\n  hostnames: [b.example.com]\n',
    })
    const { findings } = readOnce({ paths: [place.path] })
    expect(findings).toMatchObject([
      {
        message: `${place.path}/values-prod.yaml holds values for 2 routes (a.example.com) that only Helm can render`,
        fix: { text: `helm template NAME CHART --values ${place.path}/values-prod.yaml | gatewright run -` },
      },
    ])
  })
})

describe('policies of other products', () => {
  const target = 'targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]'

  it('that would keep requests out are a warning with what they would guard', () => {
    expect(
      messages({
        'p1.yaml': object(
          'gateway.envoyproxy.io/v1alpha1',
          'SecurityPolicy',
          'login',
          `spec:\n  ${target}\n  jwt: {}\n  authorization: {}\n`,
        ),
        'p2.yaml': object('security.istio.io/v1', 'AuthorizationPolicy', 'deny', 'spec: {}\n'),
        'p3.yaml': object('security.istio.io/v1', 'RequestAuthentication', 'who', 'spec:\n  selector: {matchLabels: {a: b}}\n'),
        'p4.yaml': object('kuadrant.io/v1', 'AuthPolicy', 'k', 'spec:\n  targetRef: {kind: Gateway, name: front}\n'),
      }),
    ).toEqual([
      'this policy of Envoy Gateway (jwt, authorization) is NOT enforced here; it would guard HTTPRoute team/shop',
      'this policy of Istio is NOT enforced here; it would guard everything in namespace team',
      'this policy of Istio is NOT enforced here; it would guard what its selector chooses in namespace team',
      'this policy of Kuadrant is NOT enforced here; it would guard Gateway team/front',
    ])
  })

  it('that routes take by name are a warning when one does', () => {
    const middleware = object('traefik.io/v1alpha1', 'Middleware', 'office', 'spec:\n  ipAllowList: {sourceRange: [10.0.0.0/8]}\n')
    const filter = 'filters: [{type: ExtensionRef, extensionRef: {group: traefik.io, kind: Middleware, name: office}}]'
    expect(messages({ 'm.yaml': middleware })).toEqual([])
    const route = routeYaml('guarded', { namespace: 'team' }).replace('      backendRefs:', `      ${filter}\n      backendRefs:`)
    expect(messages({ 'm.yaml': middleware, 'r.yaml': route })).toEqual([
      'this policy of Traefik (ipAllowList) is NOT enforced here; it would guard HTTPRoute team/guarded',
    ])
  })

  it('that only shape requests are listed without a warning', () => {
    const cors = object('gateway.envoyproxy.io/v1alpha1', 'SecurityPolicy', 'cors', `spec:\n  ${target}\n  cors: {}\n`)
    expect(messages({ 'p.yaml': cors })).toEqual([])
    expect(read({ 'p.yaml': cors }).foreign).toMatchObject([{ kind: 'SecurityPolicy', count: 1 }])
  })
})

describe('other neighbours', () => {
  it('of a name like ours are listed with a hint', () => {
    const { foreign, findings } = read({
      'i.yaml':
        object('networking.istio.io/v1', 'Gateway', 'g', 'spec: {}\n') +
        '---\n' +
        object('networking.istio.io/v1', 'Gateway', 'h', 'spec: {}\n'),
      'k.yaml': object('serving.knative.dev/v1', 'Service', 's', ''),
      'u.yaml': object('example.com/v1', 'TCPRoute', 's', ''),
      'd.yaml': object('apps/v1', 'Deployment', 'd', ''),
    })
    expect(foreign.map(({ kind, count, hint }) => [kind, count, hint !== undefined])).toEqual([
      ['Deployment', 1, false],
      ['Gateway', 2, true],
      ['Service', 1, true],
      ['TCPRoute', 1, true],
    ])
    expect(findings.map(({ code }) => code)).toEqual(['foreign-kind', 'foreign-kind', 'foreign-kind'])
    expect(findings[0]?.message).toMatch(
      /^2 Gateway of networking\.istio\.io\/v1 are not served \(.*i\.yaml\): this is Istio's own Gateway/,
    )
  })

  it('that SOPS encrypted are noted and not read', () => {
    const secret = object('v1', 'Secret', 's', 'data:\n  tls.key: ENC[AES256_GCM,data:x]\nsops:\n  version: 3.9.0\n')
    const { objects, findings } = read({ 's.sops.yaml': `---\n# a comment\n${secret}` })
    expect(objects).toHaveLength(1)
    expect(findings).toMatchObject([{ code: 'encrypted', severity: 'note', at: { line: 3, column: 1 } }])
  })

  it('make certificates: the Secrets of cert-manager Certificates are known', () => {
    const place = folder({
      'kustomization.yaml': 'namespace: edge\n',
      'c.yaml':
        'apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata:\n  name: wild\nspec:\n  secretName: wild-tls\n  dnsNames: ["*.example.com"]\n',
    })
    expect(readOnce({ paths: [place.path] }).certificates).toEqual([
      { name: 'wild', namespace: 'edge', secretName: 'wild-tls', dnsNames: ['*.example.com'], file: `${place.path}/c.yaml` },
    ])
  })

  it('of an older version of ours are read, with the finding that a cluster would refuse them', () => {
    const text = routeYaml('old', { namespace: 'team' }).replace('/v1\n', '/v1alpha2\n')
    const { objects, findings } = read({ 'old.yaml': text })
    expect(objects).toHaveLength(2)
    expect(findings).toMatchObject([{ severity: 'warning', object: { name: 'old' }, path: ['apiVersion'], at: { line: 1, column: 13 } }])
  })
})
