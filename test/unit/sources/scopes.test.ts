import { describe, expect, it } from 'vitest'
import { readOnce } from '../../../src/sources/file/read-once.ts'
import { objectKey } from '../../../src/sources/source.ts'
import { folder } from './folder.ts'
import { configMapYaml, routeYaml } from './manifests.ts'

const flux = (name: string, spec: string) =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: ${name}\n  namespace: flux-system\nspec:\n${spec}`

function keys(files: Readonly<Record<string, string>>, options: { readonly namespace?: string; readonly below?: string } = {}): string[] {
  const { below = '', ...rest } = options
  return readOnce({ paths: [`${folder(files).path}/${below}`], ...rest }).objects.map(objectKey)
}

describe('the namespace of an object that names none', () => {
  it('is default, or what the user says', () => {
    expect(keys({ 'r.yaml': routeYaml('r') })).toEqual(['HTTPRoute/default/r'])
    expect(keys({ 'r.yaml': routeYaml('r') }, { namespace: 'team' })).toEqual(['HTTPRoute/team/r'])
    expect(keys({ 'r.yaml': routeYaml('r', { namespace: 'own' }) }, { namespace: 'team' })).toEqual(['HTTPRoute/own/r'])
  })

  it('is that of the nearest kustomization which names one', () => {
    const files = {
      'kustomization.yaml': 'namespace: outer\nresources: [a]\n',
      'a/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [b]\n',
      'a/b/kustomization.yml': 'namespace: inner\n',
      'a/b/deep/r.yaml': routeYaml('r'),
      'a/s.yaml': routeYaml('s'),
      't.yaml': routeYaml('t', { namespace: 'own' }),
    }
    expect(keys(files, { namespace: 'team' })).toEqual(['HTTPRoute/inner/r', 'HTTPRoute/outer/s', 'HTTPRoute/own/t'])
  })

  it('is not looked for above the path that was given', () => {
    const files = { 'kustomization.yaml': 'namespace: outer\n', 'a/r.yaml': routeYaml('r') }
    expect(keys(files, { below: 'a' })).toEqual(['HTTPRoute/default/r'])
  })

  it('is the targetNamespace of a Flux Kustomization whose path covers the folder, unless a nearer kustomization names one', () => {
    const files = {
      'cluster/shop.yaml': flux('shop', '  path: ./apps/shop\n  targetNamespace: shop\n'),
      'apps/shop/r.yaml': routeYaml('r'),
      'apps/shop/near/kustomization.yaml': 'namespace: near\n',
      'apps/shop/near/s.yaml': routeYaml('s'),
      'apps/shopping/t.yaml': routeYaml('t'),
    }
    expect(keys(files)).toEqual(['HTTPRoute/near/s', 'HTTPRoute/shop/r', 'HTTPRoute/default/t'])
  })
})

describe('what else a kustomization would change', () => {
  it('is noted once, and the pieces that it patches with are no objects', () => {
    const place = folder({
      'kustomization.yaml':
        'namePrefix: dev-\nimages: []\npatches:\n  - path: patch.yaml\n  - target: {kind: Service}\n    patch: |-\n      - op: remove\n        path: /x\nresources: [r.yaml]\n',
      'patch.yaml': 'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: r\nspec:\n  rules: broken\n',
      'r.yaml': routeYaml('r'),
    })
    const { findings, objects } = readOnce({ paths: [place.path] })
    expect(objects).toHaveLength(1)
    expect(findings).toMatchObject([
      {
        code: 'kustomize-not-applied',
        severity: 'note',
        message: `${place.path}/kustomization.yaml would also change objects by namePrefix, patches; the files are read as they stand`,
        fix: { text: `kustomize build ${place.path} | gatewright run -` },
      },
    ])
  })
})

describe('variables', () => {
  const hostnames = (files: Readonly<Record<string, string>>, variables: Readonly<Record<string, string>> = {}) => {
    const read = readOnce({ paths: [folder(files).path], variables, unknownVariables: 'localhost' })
    return read.objects.flatMap((object) => (object.kind === 'HTTPRoute' ? object.spec.hostnames : []))
  }

  it('are filled before the text is YAML, so that a number stays one', () => {
    const place = folder({ 'r.yaml': routeYaml('r').replace('port: 80', 'port: ${PORT:=8080}') })
    expect(readOnce({ paths: [place.path] }).objects).toMatchObject([{ spec: { rules: [{ backendRefs: [{ port: 8080 }] }] } }])
  })

  it('have their default in each of the spellings', () => {
    for (const default_ of [':=', ':-', '=', '-']) {
      expect(hostnames({ 'r.yaml': routeYaml('r', { hostname: `a.\${D${default_}example.org}` }) })).toEqual(['a.example.org'])
    }
  })

  it('come from --set, then the nearest Flux Kustomization, then its ConfigMaps, then ConfigMaps that others name, then any', () => {
    const files = {
      'apps/r.yaml': routeYaml('r', { hostname: '${A}.${B}.${C}.${D}.${E}.example.com' }),
      'flux.yaml': flux(
        'apps',
        '  path: ./apps\n  postBuild:\n    substitute: {A: substitute, B: substitute}\n    substituteFrom:\n      - {kind: ConfigMap, name: named}\n',
      ),
      'other.yaml': flux('other', '  path: ./other\n  postBuild:\n    substituteFrom:\n      - {kind: ConfigMap, name: elsewhere}\n'),
      'z-any.yaml': configMapYaml('any', { C: 'any', D: 'any', E: 'any' }),
      'z-elsewhere.yaml': configMapYaml('elsewhere', { C: 'elsewhere', D: 'elsewhere' }, 'flux-system'),
      'z-named.yaml': configMapYaml('named', { A: 'named', B: 'named', C: 'named' }, 'flux-system'),
    }
    expect(hostnames(files, { A: 'set' })).toEqual(['set.substitute.named.elsewhere.any.example.com'])
  })

  it('come from Secrets that are not encrypted', () => {
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: vars\nstringData:\n  D: plain.example.org\n'
    const files = {
      'r.yaml': routeYaml('r', { hostname: '${D}' }),
      's.yaml': routeYaml('s', { hostname: '${E}' }),
      'secret.yaml': secret,
      'secret.sops.yaml': `${secret.replaceAll('D: plain.example.org', 'E: ENC[AES256,x]')}sops:\n  version: 3\n`,
      'flux.yaml': flux('apps', '  postBuild:\n    substituteFrom: [{kind: Secret, name: vars}]\n'),
    }
    expect(hostnames(files)).toEqual(['plain.example.org', 'e.localhost'])
  })

  it('that nobody knows are one finding each, with every place, and become names under .localhost', () => {
    const place = folder({
      'a.yaml': routeYaml('a', { hostname: 'app.${SECRET_DOMAIN}' }),
      'b.yaml': routeYaml('b', { hostname: '${APP}.example.com' }),
      'c.yaml': routeYaml('c', { hostname: '${SECRET_DOMAIN} # and not ${COMMENT}' }),
    })
    const read = readOnce({ paths: [place.path], unknownVariables: 'localhost' })
    expect(read.objects).toMatchObject([
      { spec: { hostnames: ['app.secret-domain.localhost'] } },
      { spec: { hostnames: ['app.example.com.localhost'] } },
      { spec: { hostnames: ['secret-domain.localhost'] } },
    ])
    expect(read.findings.map(({ message }) => message)).toEqual([
      `Nothing gives \${APP} a value (used in 1 place); hostnames with it are served under .localhost`,
      `Nothing gives \${SECRET_DOMAIN} a value (used in 2 places); hostnames with it are served under .localhost`,
    ])
    expect(read.findings[1]).toMatchObject({
      code: 'unknown-variable',
      fix: { text: '--set SECRET_DOMAIN=value' },
      at: { file: `${place.path}/a.yaml`, line: 9 },
      uses: [{ file: `${place.path}/c.yaml`, line: 9 }],
    })
  })

  it('that nobody knows are kept when nobody wants names for them, and cause no second finding', () => {
    const place = folder({ 'a.yaml': routeYaml('a', { hostname: 'app.${SECRET_DOMAIN}' }) })
    const read = readOnce({ paths: [place.path] })
    expect(read.objects).toEqual([])
    expect(read.findings.map(({ message }) => message)).toEqual([
      'Nothing gives ${SECRET_DOMAIN} a value (used in 1 place); an object with it cannot be read',
    ])
  })

  it('are no variables behind a second dollar, nor in the data of ConfigMaps', () => {
    const route = routeYaml('r').replace('metadata:', () => 'metadata:\n  annotations:\n    note: "$${NOT_ME} ${ME}"')
    const place = folder({ 'c.yaml': configMapYaml('c', { script: 'echo ${HOME}' }), 'r.yaml': route })
    const read = readOnce({ paths: [place.path], variables: { ME: 'yes', NOT_ME: 'no', HOME: 'no' } })
    expect(read.objects).toMatchObject([{ data: { script: 'echo ${HOME}' } }, { metadata: { annotations: { note: '${NOT_ME} yes' } } }])
    expect(read.findings).toEqual([])
  })
})
