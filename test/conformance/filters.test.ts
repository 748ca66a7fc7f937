/** The suite's tests of what a rule does to requests and answers: redirects, rewrites, header modifiers. */
import { expect } from 'vitest'
import { conformanceTests } from './conformance.ts'
import type { Row } from './request-table.ts'
import type { Scene } from './scene.ts'

const conformance = conformanceTests()

const v1 = 'infra-backend-v1'
const v2 = 'infra-backend-v2'

conformance('HTTPRoute303Redirect', async (scene) => {
  scene.served('same-namespace', '303-redirect')
  await scene.answers('same-namespace', [['POST /see-other', redirect(303, 'http://gateway/see-other')]])
})

conformance('HTTPRoute307Redirect', async (scene) => {
  scene.served('same-namespace', '307-redirect')
  await scene.answers('same-namespace', [['/temporary', redirect(307, 'http://gateway/temporary')]])
})

conformance('HTTPRoute308Redirect', async (scene) => {
  scene.served('same-namespace', '308-redirect')
  await scene.answers('same-namespace', [['/permanent', redirect(308, 'http://gateway/permanent')]])
})

conformance('HTTPRouteRedirectHostAndStatus', async (scene) => {
  scene.served('same-namespace', 'redirect-host-and-status')
  await scene.answers('same-namespace', [
    ['/hostname-redirect', redirect(302, 'http://example.org/hostname-redirect')],
    ['/host-and-status', redirect(301, 'http://example.org/host-and-status')],
  ])
})

conformance('HTTPRouteRedirectPath', async (scene) => {
  scene.served('same-namespace', 'redirect-path')
  await scene.answers('same-namespace', [
    ['/original-prefix/lemon', redirect(302, 'http://gateway/replacement-prefix/lemon')],
    ['/full/path/original', redirect(302, 'http://gateway/full-path-replacement')],
    ['/path-and-host', redirect(302, 'http://example.org/replacement-prefix')],
    ['/path-and-status', redirect(301, 'http://gateway/replacement-prefix')],
    ['/full-path-and-host', redirect(302, 'http://example.org/replacement-full')],
    ['/full-path-and-status', redirect(301, 'http://gateway/replacement-full')],
  ])
})

conformance('HTTPRouteRedirectPort', async (scene) => {
  scene.served('same-namespace', 'redirect-port')
  await scene.answers('same-namespace', [
    ['/port', redirect(302, 'http://gateway:8083/port')],
    ['/port-and-host', redirect(302, 'http://example.org:8083/port-and-host')],
    ['/port-and-status', redirect(301, 'http://gateway:8083/port-and-status')],
    ['/port-and-host-and-status', redirect(302, 'http://example.org:8083/port-and-host-and-status')],
  ])
})

conformance('HTTPRouteRedirectScheme', async (scene) => {
  scene.served('same-namespace', 'redirect-scheme')
  await scene.answers('same-namespace', [
    ['/scheme', redirect(302, 'https://gateway/scheme')],
    ['/scheme-and-host', redirect(302, 'https://example.org/scheme-and-host')],
    ['/scheme-and-status', redirect(301, 'https://gateway/scheme-and-status')],
    ['/scheme-and-host-and-status', redirect(302, 'https://example.org/scheme-and-host-and-status')],
  ])
})

conformance('HTTPRouteRedirectPortAndScheme', async (scene) => {
  scene.served('same-namespace', 'http-route-for-listener-on-port-80')
  await scene.answers(
    'same-namespace',
    redirects({
      '/scheme-nil-and-port-nil': 'http://example.org',
      '/scheme-nil-and-port-80': 'http://example.org',
      '/scheme-nil-and-port-8080': 'http://example.org:8080',
      '/scheme-https-and-port-nil': 'https://example.org',
      '/scheme-https-and-port-443': 'https://example.org',
      '/scheme-https-and-port-8443': 'https://example.org:8443',
    }),
  )
  scene.served('same-namespace-with-http-listener-on-8080', 'http-route-for-listener-on-port-8080')
  await scene.answers(
    'same-namespace-with-http-listener-on-8080',
    redirects({
      '/scheme-nil-and-port-nil': 'http://example.org:8080',
      '/scheme-nil-and-port-80': 'http://example.org',
      '/scheme-https-and-port-nil': 'https://example.org',
    }),
    8080,
  )
  scene.served('same-namespace-with-https-listener', 'http-route-for-listener-on-port-443')
  await scene.answers(
    'same-namespace-with-https-listener',
    redirects({
      'example.org/scheme-nil-and-port-nil': 'https://example.org',
      'example.org/scheme-nil-and-port-443': 'https://example.org',
      'example.org/scheme-nil-and-port-8443': 'https://example.org:8443',
      'example.org/scheme-http-and-port-nil': 'http://example.org',
      'example.org/scheme-http-and-port-80': 'http://example.org',
      'example.org/scheme-http-and-port-8080': 'http://example.org:8080',
    }),
    443,
  )
})

conformance('HTTPRouteRewriteHost', async (scene) => {
  scene.served('same-namespace', 'rewrite-host')
  await scene.answers('same-namespace', [
    ['rewrite.example/one', { backend: v1, host: 'one.example.org' }],
    ['rewrite.example/two', { backend: v2, host: 'example.org' }],
    [
      {
        to: 'rewrite.example/rewrite-host-and-modify-headers',
        fields: { 'X-Header-Remove': 'remove-val', 'X-Header-Add-Append': 'append-val-1' },
      },
      { backend: v2, host: 'test.example.org', received: modified },
    ],
  ])
})

conformance('HTTPRouteRewritePath', async (scene) => {
  scene.served('same-namespace', 'rewrite-path')
  const fields = { 'X-Header-Remove': 'remove-val', 'X-Header-Add-Append': 'append-val-1', 'X-Header-Set': 'set-val' }
  await scene.answers('same-namespace', [
    ['/prefix/one/two', { backend: v1, path: '/one/two' }],
    ['/strip-prefix/three', { backend: v1, path: '/three' }],
    ['/strip-prefix', { backend: v1, path: '/' }],
    ['/full/one/two', { backend: v1, path: '/one' }],
    [
      { to: '/full/rewrite-path-and-modify-headers/test', fields },
      { backend: v1, path: '/test', received: modified },
    ],
    [
      { to: '/prefix/rewrite-path-and-modify-headers/one', fields },
      { backend: v1, path: '/prefix/one', received: modified },
    ],
  ])
})

conformance('HTTPRouteBackendURLRewrite', async (scene) => {
  scene.served('same-namespace', 'backend-url-rewrite')
  await scene.answers('same-namespace', [
    ['/full/original', { backend: v1, path: '/rewritten-full' }],
    ['/prefix/original', { backend: v1, path: '/rewritten-prefix/original' }],
  ])
})

conformance('HTTPRouteRequestHeaderModifier', (scene) => modifiesRequests(scene))

conformance('HTTPRouteBackendRequestHeaderModifier', (scene) => modifiesRequests(scene))

conformance('HTTPRouteRequestHeaderModifierBackendWeights', async (scene) => {
  scene.served('same-namespace', 'request-header-modifier-backend-weights')
  const backends = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const { echo } = await scene.send('same-namespace', '/')
      const names = (echo?.fields ?? []).filter(([name]) => name.toLowerCase() === 'backend').map(([, value]) => value)
      expect(names).toEqual([echo?.pod])
      return echo?.pod
    }),
  )
  expect(new Set(backends).size).toBeGreaterThan(1)
})

conformance('HTTPRouteResponseHeaderModifier', async (scene) => {
  scene.served('same-namespace', 'response-header-modifier')
  const other = { 'Some-Other-Header': 'val' }
  await scene.answers('same-namespace', [
    [
      { to: '/set', backendSends: other },
      { backend: v1, sent: { ...other, 'X-Header-Set': 'set-overwrites-values' } },
    ],
    [
      { to: '/set', backendSends: { ...other, 'X-Header-Set': 'some-other-value' } },
      { backend: v1, sent: { ...other, 'X-Header-Set': 'set-overwrites-values' } },
    ],
    [
      { to: '/add', backendSends: other },
      { backend: v1, sent: { ...other, 'X-Header-Add': 'add-appends-values' } },
    ],
    [
      { to: '/add', backendSends: { ...other, 'X-Header-Add': 'some-other-value' } },
      { backend: v1, sent: { ...other, 'X-Header-Add': 'some-other-value,add-appends-values' } },
    ],
    [
      { to: '/remove', backendSends: { 'X-Header-Remove': 'val' } },
      { backend: v1, sent: { 'X-Header-Remove': null } },
    ],
    [
      { to: '/multiple', backendSends: many },
      { backend: v1, sent: { ...manyModified, 'X-Header-Add-3': 'header-add-3' } },
    ],
    [
      {
        to: '/case-insensitivity',
        backendSends: {
          'x-header-set': 'original-val-set',
          'x-header-add': 'original-val-add',
          'x-header-remove': 'original-val-remove',
          'Another-Header': 'another-header-val',
        },
      },
      {
        backend: v1,
        sent: {
          'X-Header-Set': 'header-set',
          'X-Header-Add': 'original-val-add,header-add',
          'X-Lowercase-Add': 'lowercase-add',
          'X-Mixedcase-Add-1': 'mixedcase-add-1',
          'X-Mixedcase-Add-2': 'mixedcase-add-2',
          'X-Uppercase-Add': 'uppercase-add',
          'Another-Header': 'another-header-val',
          'X-Header-Remove': null,
        },
      },
    ],
    [
      {
        to: '/response-and-request-header-modifiers',
        fields: { 'X-Header-Remove': 'remove-val', 'X-Header-Add-Append': 'append-val-1', 'X-Header-Echo': 'echo' },
        backendSends: { ...many, 'X-Header-Echo': 'echo' },
      },
      { backend: v1, received: { ...modified, 'X-Header-Echo': 'echo' }, sent: { ...manyModified, 'X-Header-Echo': 'echo' } },
    ],
  ])
})

/** What the suite's rules that also modify headers make of them. */
const modified = {
  'X-Header-Add': 'header-val-1',
  'X-Header-Add-Append': 'append-val-1,header-val-2',
  'X-Header-Set': 'set-overwrites-values',
  'X-Header-Remove': null,
}

const many = {
  'X-Header-Set-2': 'set-val-2',
  'X-Header-Add-2': 'add-val-2',
  'X-Header-Remove-1': 'remove-val-1',
  'X-Header-Remove-2': 'remove-val-2',
  'Another-Header': 'another-header-val',
}

const manyModified = {
  'X-Header-Set-1': 'header-set-1',
  'X-Header-Set-2': 'header-set-2',
  'X-Header-Add-1': 'header-add-1',
  'X-Header-Add-2': 'add-val-2,header-add-2',
  'Another-Header': 'another-header-val',
  'X-Header-Remove-1': null,
  'X-Header-Remove-2': null,
}

async function modifiesRequests(scene: Scene): Promise<void> {
  scene.served('same-namespace', 'request-header-modifier')
  const other = { 'Some-Other-Header': 'val' }
  await scene.answers('same-namespace', [
    [
      { to: '/set', fields: other },
      { backend: v1, received: { ...other, 'X-Header-Set': 'set-overwrites-values' } },
    ],
    [
      { to: '/set', fields: { ...other, 'X-Header-Set': 'some-other-value' } },
      { backend: v1, received: { ...other, 'X-Header-Set': 'set-overwrites-values' } },
    ],
    [
      { to: '/add', fields: other },
      { backend: v1, received: { ...other, 'X-Header-Add': 'add-appends-values' } },
    ],
    [
      { to: '/add', fields: { ...other, 'X-Header-Add': 'some-other-value' } },
      { backend: v1, received: { ...other, 'X-Header-Add': 'some-other-value,add-appends-values' } },
    ],
    [
      { to: '/remove', fields: { 'X-Header-Remove': 'val' } },
      { backend: v1, received: { 'X-Header-Remove': null } },
    ],
    [
      { to: '/multiple', fields: { ...many, 'X-Header-Remove-1': 'val' } },
      { backend: v1, received: { ...manyModified, 'X-Header-Add-3': 'header-add-3' } },
    ],
    [
      {
        to: '/case-insensitivity',
        fields: {
          'x-header-set': 'original-val-set',
          'x-header-add': 'original-val-add',
          'x-header-remove': 'original-val-remove',
          'Another-Header': 'another-header-val',
        },
      },
      {
        backend: v1,
        received: {
          'X-Header-Set': 'header-set',
          'X-Header-Add': 'original-val-add,header-add',
          'Another-Header': 'another-header-val',
          'X-Header-Remove': null,
        },
      },
    ],
  ])
}

function redirect(status: number, location: string) {
  return { status, location }
}

/** Temporary ones, that keep the path; to origins, by request. */
function redirects(origins: Readonly<Record<string, string>>): readonly Row[] {
  return Object.entries(origins).map(([request, origin]) => [request, redirect(302, origin + request.slice(request.indexOf('/')))])
}
