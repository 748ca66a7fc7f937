/**
 * For each CEL rule of the CRDs a value that keeps it and one that breaks it, to stand at every place that has the rule.
 * `rule` is the beginning of the hash of the rule's text, `code` the issue that tells of the break.
 */

export interface RuleCase {
  readonly rule: string
  readonly code: string
  /** A value, or a function from the path where one rule stands at places that take different values. */
  readonly valid: unknown
  readonly invalid: unknown
  /** What stood at the place before, for rules about changes. */
  readonly old?: unknown
}

const BACKEND = { name: 'backend', port: 80 }
const REFERENCE = { group: 'example.com', kind: 'Thing', name: 'thing' }
const X_BACKEND = { group: 'gateway.networking.x-k8s.io', kind: 'XBackend', name: 'backend' }
const EXTERNAL = { type: 'ExternalHostname', port: { number: 443 }, externalHostname: { hostname: 'api.example.com' } }
const SELECTING = { type: 'EndpointSelector', port: { number: 8080 }, endpointSelector: { matchLabels: { app: 'api' } } }
const SERVER_ONLY = { mode: 'ServerOnly', validation: { hostname: 'api.example.com', wellKnownCACertificates: 'System' } }
const TRUST_BUNDLE = { group: 'certificates.k8s.io', kind: 'ClusterTrustBundle', name: 'bundle' }
const TRACED = { mode: 'Enabled', provider: { backendRef: BACKEND } }
const EXTERNAL_AUTH = { protocol: 'HTTP', http: {}, backendRef: BACKEND }

const extension = { type: 'ExtensionRef', extensionRef: REFERENCE }
const requestHeaders = { type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['x'] } }
const responseHeaders = { type: 'ResponseHeaderModifier', responseHeaderModifier: { remove: ['x'] } }
const mirror = { type: 'RequestMirror', requestMirror: { backendRef: BACKEND } }
const redirect = { type: 'RequestRedirect', requestRedirect: {} }
const rewrite = { type: 'URLRewrite', urlRewrite: {} }
const cors = { type: 'CORS', cors: {} }
const auth = { type: 'ExternalAuth', externalAuth: EXTERNAL_AUTH }

const prefix = { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } }
const redirectPrefix = { type: 'RequestRedirect', requestRedirect: prefix }
const rewritePrefix = { type: 'URLRewrite', urlRewrite: prefix }
const EXACT = [{ path: { type: 'Exact', value: '/a' } }]
const TWO = [{ path: { value: '/a' } }, { path: { value: '/b' } }]

const listener = (name: string, protocol: string, more: object = {}): object => ({ name, port: 80, protocol, ...more })
const certificate = { certificateRefs: [{ name: 'certificate' }] }

const matches = (count: number): object[] => Array.from({ length: count }, () => ({}))
const long = (length: number): string => `${'a.'.repeat(length).slice(0, length - 1)}a`
/** The same name at every place where rules are named, beside what each kind demands. */
const named = (...names: string[]): object[] => names.map((name) => ({ name, backendRefs: [BACKEND] }))

export const RULE_CASES: readonly RuleCase[] = [
  // BackendTLSPolicy
  {
    rule: '04db233212a7',
    code: 'target-section-required',
    valid: [
      { ...REFERENCE, sectionName: 'a' },
      { ...REFERENCE, sectionName: 'b' },
    ],
    invalid: [{ ...REFERENCE, sectionName: 'a' }, REFERENCE],
  },
  { rule: 'ae7c04b5d4cc', code: 'target-unique', valid: [REFERENCE, { ...REFERENCE, name: 'other' }], invalid: [REFERENCE, REFERENCE] },
  {
    rule: '7a4c8606ed38',
    code: 'ca-certificates-one-of',
    valid: { hostname: 'a.example.com', caCertificateRefs: [REFERENCE] },
    invalid: { hostname: 'a.example.com', caCertificateRefs: [REFERENCE], wellKnownCACertificates: 'System' },
  },
  { rule: '9f2f8a205c20', code: 'alt-name-required', valid: { type: 'Hostname', hostname: 'a' }, invalid: { type: 'Hostname' } },
  {
    rule: 'b8b9b47523e5',
    code: 'alt-name-unexpected',
    valid: { type: 'URI', uri: 'spiffe://a/b' },
    invalid: { type: 'URI', uri: 'spiffe://a/b', hostname: 'a' },
  },
  { rule: '6f0bb440cd43', code: 'alt-name-required', valid: { type: 'URI', uri: 'spiffe://a/b' }, invalid: { type: 'URI' } },
  {
    rule: '3aadac4250cc',
    code: 'alt-name-unexpected',
    valid: { type: 'Hostname', hostname: 'a' },
    invalid: { type: 'Hostname', hostname: 'a', uri: 'spiffe://a/b' },
  },

  // XBackend
  { rule: '05b73fcd4002', code: 'backend-type', valid: EXTERNAL, invalid: { type: 'ExternalHostname', port: { number: 443 } } },
  { rule: '2ef2f889e61d', code: 'backend-type', valid: SELECTING, invalid: { ...EXTERNAL, ...SELECTING, type: 'ExternalHostname' } },
  {
    rule: 'ebef1fd93e86',
    code: 'backend-tls-unexpected',
    valid: { ...EXTERNAL, protocol: 'H2C' },
    invalid: { ...EXTERNAL, protocol: 'H2C', tls: SERVER_ONLY },
  },
  {
    rule: '1a2558c2c4b3',
    code: 'backend-tls-required',
    valid: { ...EXTERNAL, protocol: 'HTTP2', tls: SERVER_ONLY },
    invalid: { ...EXTERNAL, protocol: 'HTTP2' },
  },
  {
    rule: '19c143608636',
    code: 'backend-tls-required',
    valid: { ...EXTERNAL, protocol: 'WSS', tls: SERVER_ONLY },
    invalid: { ...EXTERNAL, protocol: 'WSS', tls: { mode: 'None' } },
  },
  {
    rule: 'd7aaa4e36b31',
    code: 'backend-session',
    valid: { ...SELECTING, sessionPersistence: { cookie: {} } },
    invalid: { ...EXTERNAL, sessionPersistence: { cookie: {} } },
  },
  { rule: '2cb284431377', code: 'qualified-name', valid: { 'example.com/Key_1': 'value' }, invalid: { 'example.com/': 'value' } },
  { rule: 'd57034998f76', code: 'backend-hostname', valid: 'api.example.com', invalid: 'web.shop.svc.cluster.local' },
  {
    rule: '217c2b8d4828',
    code: 'backend-client-certificate',
    valid: { ...SERVER_ONLY, mode: 'ClientAndServer', clientCertificateRef: { name: 'certificate' } },
    invalid: { ...SERVER_ONLY, clientCertificateRef: { name: 'certificate' } },
  },
  { rule: 'cc86976fbd40', code: 'backend-validation', valid: SERVER_ONLY, invalid: { mode: 'ServerOnly' } },

  // XBackendTrafficPolicy
  { rule: '6f07595e3091', code: 'retry-interval', valid: '1h', invalid: '999ms' },
  { rule: 'e95bafc302b7', code: 'rate-interval', valid: '1ms', invalid: '0s' },

  // XTelemetryPolicy
  { rule: 'b105fa7dec2a', code: 'required', valid: { targetRefs: [REFERENCE], tracing: {} }, invalid: { targetRefs: [REFERENCE] } },
  { rule: 'f4964977ebc2', code: 'tracing-provider', valid: TRACED, invalid: { mode: 'Enabled' } },
  {
    rule: '1564d86aa0bc',
    code: 'tracing-samplingrate',
    valid: (path: string) => ({ ...(path === 'spec.tracing' ? TRACED : { mode: 'Enabled' }), samplingRate: { numerator: 1 } }),
    invalid: { samplingRate: { numerator: 1 } },
  },
  {
    rule: 'a16dceda9c9a',
    code: 'tracing-parentbasedsampling',
    valid: { ...TRACED, parentBasedSampling: {} },
    invalid: { mode: 'Disabled', parentBasedSampling: {} },
  },
  { rule: '3f6be77b5a07', code: 'tracing-servicename', valid: { ...TRACED, serviceName: 'web' }, invalid: { serviceName: 'web' } },
  { rule: 'a7ff9fe83920', code: 'tracing-spanname', valid: { ...TRACED, spanName: 'a b' }, invalid: { spanName: 'a b' } },
  { rule: '46092402dd5c', code: 'tracing-attributes', valid: { ...TRACED, attributes: [] }, invalid: { attributes: [] } },
  {
    rule: '33606a03e151',
    code: 'attribute-header',
    valid: { name: 'user', sourceType: 'Header', headerName: 'X-User' },
    invalid: { name: 'user', sourceType: 'Header' },
  },
  {
    rule: 'd57ce6fcb93d',
    code: 'attribute-literal',
    valid: { name: 'user', sourceType: 'Literal', literalValue: 'a' },
    invalid: { name: 'user', sourceType: 'Header', headerName: 'X-User', literalValue: 'a' },
  },
  {
    rule: '14da47b95050',
    code: 'attribute-attribute',
    valid: { name: 'user', sourceType: 'Attribute', attributeKey: 'user.id' },
    invalid: { name: 'user', sourceType: 'Attribute' },
  },

  // GatewayClass
  {
    rule: 'f4f4adcfb233',
    code: 'controller-name-immutable',
    old: 'example.com/one',
    valid: 'example.com/one',
    invalid: 'example.com/two',
  },

  // Gateway
  {
    rule: '1ff4561772c9',
    code: 'address-unique',
    valid: [{ value: '192.0.2.1' }, {}, {}],
    invalid: [{ value: '192.0.2.1' }, { value: '192.0.2.1' }],
  },
  {
    rule: 'f109da0cdc8d',
    code: 'address-unique',
    valid: [
      { type: 'Hostname', value: 'a' },
      { type: 'Hostname', value: 'b' },
    ],
    invalid: [
      { type: 'Hostname', value: 'a' },
      { type: 'Hostname', value: 'a' },
    ],
  },
  {
    rule: 'dac2850f16ae',
    code: 'address-hostname',
    valid: { type: 'Hostname', value: '*.a.b' },
    invalid: { type: 'Hostname', value: 'a_b' },
  },
  { rule: '591bc5c26ce2', code: 'routability', valid: 'example.com/private', invalid: 'a.k8s.io/private' },
  {
    rule: 'b3d66a64701e',
    code: 'address-hostname',
    valid: { type: 'Hostname', value: '*.a.b' },
    invalid: { type: 'Hostname', value: 'a_b' },
  },
  { rule: '9d8358ece358', code: 'qualified-name', valid: { 'example.com/Key_1': 'value' }, invalid: { 'example.com/': 'value' } },
  { rule: '4b9766f719f7', code: 'key-prefix-too-long', valid: { [`${long(252)}/key`]: 'v' }, invalid: { [`${long(253)}/key`]: 'v' } },
  {
    rule: '3c32699255c6',
    code: 'trust-bundle-namespace',
    valid: [TRUST_BUNDLE, { ...REFERENCE, namespace: 'a' }],
    invalid: [{ ...TRUST_BUNDLE, namespace: 'a' }],
  },
  {
    rule: '419307373c26',
    code: 'duplicate-key',
    valid: [{ port: 443, tls: {} }],
    invalid: [
      { port: 443, tls: {} },
      { port: 443, tls: {} },
    ],
  },

  // Listeners
  {
    rule: '78a772397706',
    code: 'listener-tls-unexpected',
    valid: [listener('a', 'HTTP')],
    invalid: [listener('a', 'HTTP', { tls: certificate })],
  },
  {
    rule: 'aec2bd596a6d',
    code: 'listener-https-terminates',
    valid: [listener('a', 'HTTPS', { tls: certificate })],
    invalid: [listener('a', 'HTTPS', { tls: { mode: 'Passthrough' } })],
  },
  {
    rule: '79a484463556',
    code: 'listener-tls-required',
    valid: [listener('a', 'TLS', { tls: { mode: 'Passthrough' } })],
    invalid: [listener('a', 'TLS')],
  },
  {
    rule: '08d23c40ec8f',
    code: 'listener-hostname-unexpected',
    valid: [listener('a', 'TCP')],
    invalid: [listener('a', 'UDP', { hostname: 'a.example.com' })],
  },
  {
    rule: 'b3c66e248da8',
    code: 'duplicate-key',
    valid: [listener('a', 'HTTP'), listener('b', 'HTTPS')],
    invalid: [listener('a', 'HTTP'), listener('a', 'HTTPS')],
  },
  {
    rule: 'd31959b5efcf',
    code: 'listener-unique',
    valid: [listener('a', 'HTTP'), listener('b', 'HTTP', { hostname: 'a.example.com' })],
    invalid: [listener('a', 'HTTP', { hostname: 'a.example.com' }), listener('b', 'HTTP', { hostname: 'a.example.com' })],
  },
  {
    rule: 'e3e62c2ad493',
    code: 'listener-unique',
    valid: [listener('a', 'HTTP'), listener('b', 'HTTP', { port: 81 })],
    invalid: [listener('a', 'HTTP'), listener('b', 'HTTP')],
  },
  {
    rule: '2c84d2895e8d',
    code: 'listener-filters-unexpected',
    valid: listener('a', 'HTTP', { filters: {} }),
    invalid: listener('a', 'TCP', { filters: {} }),
  },
  {
    rule: 'f161b726ab7c',
    code: 'tls-certificates-required',
    valid: { mode: 'Terminate', options: { 'example.com/certificate': 'a' } },
    invalid: { mode: 'Terminate', certificateRefs: [] },
  },

  // Filters: each field for its type, each type with its field
  { rule: 'c8cbd34fb929', code: 'filter-field-unexpected', valid: auth, invalid: { ...extension, externalAuth: EXTERNAL_AUTH } },
  { rule: '3f23e50c287f', code: 'filter-field-required', valid: auth, invalid: { type: 'ExternalAuth' } },
  {
    rule: '28f68457ca1d',
    code: 'filter-field-unexpected',
    valid: extension,
    invalid: (path: string) => ({ ...(path.includes('requests') ? auth : requestHeaders), extensionRef: REFERENCE }),
  },
  { rule: '32fcae1cb6e6', code: 'filter-field-required', valid: extension, invalid: { type: 'ExtensionRef' } },
  { rule: '7b8cf86874d8', code: 'filter-field-unexpected', valid: requestHeaders, invalid: { ...extension, requestHeaderModifier: {} } },
  { rule: 'eb3032de7631', code: 'filter-field-required', valid: requestHeaders, invalid: { type: 'RequestHeaderModifier' } },
  { rule: 'c0838ca9ab63', code: 'filter-field-unexpected', valid: responseHeaders, invalid: { ...extension, responseHeaderModifier: {} } },
  { rule: 'a900d763727e', code: 'filter-field-required', valid: responseHeaders, invalid: { type: 'ResponseHeaderModifier' } },
  { rule: 'c2c4ceb30c93', code: 'filter-field-unexpected', valid: mirror, invalid: { ...mirror, ...extension } },
  { rule: '479cd4bff5ae', code: 'filter-field-required', valid: mirror, invalid: { type: 'RequestMirror' } },
  { rule: '1b5e24ab1898', code: 'filter-field-unexpected', valid: cors, invalid: { ...cors, ...extension } },
  { rule: '53315200e53d', code: 'filter-field-required', valid: cors, invalid: { type: 'CORS' } },
  { rule: 'bec67f21a55a', code: 'filter-field-unexpected', valid: redirect, invalid: { ...redirect, ...extension } },
  { rule: '96f72312eb7b', code: 'filter-field-required', valid: redirect, invalid: { type: 'RequestRedirect' } },
  { rule: 'bc36c2fa8462', code: 'filter-field-unexpected', valid: rewrite, invalid: { ...rewrite, ...extension } },
  { rule: '769cafeb49d0', code: 'filter-field-required', valid: rewrite, invalid: { type: 'URLRewrite' } },

  // Filters: lists of them
  { rule: '24c3fdad46b3', code: 'filter-redirect-or-rewrite', valid: [rewrite, cors], invalid: [redirect, rewrite] },
  { rule: 'ee6a308c410a', code: 'filter-repeated', valid: [cors, mirror, mirror], invalid: [cors, cors] },
  { rule: '501e61ba52ca', code: 'filter-repeated', valid: [requestHeaders, responseHeaders], invalid: [requestHeaders, requestHeaders] },
  { rule: '226cc5e317a8', code: 'filter-repeated', valid: [responseHeaders, requestHeaders], invalid: [responseHeaders, responseHeaders] },
  { rule: 'c1f6cb742f0d', code: 'filter-repeated', valid: [redirect], invalid: [redirect, redirect] },
  { rule: '61ed15b8b73f', code: 'filter-repeated', valid: [rewrite], invalid: [rewrite, rewrite] },

  // Filters: what is in them
  {
    rule: 'fbee517ef220',
    code: 'external-auth-grpc-required',
    valid: { protocol: 'GRPC', backendRef: BACKEND, grpc: {} },
    invalid: { protocol: 'GRPC', backendRef: BACKEND },
  },
  {
    rule: '1add1dca67de',
    code: 'external-auth-grpc-unexpected',
    valid: { protocol: 'GRPC', backendRef: BACKEND, grpc: {} },
    invalid: { ...EXTERNAL_AUTH, grpc: {} },
  },
  { rule: '43a774e090df', code: 'external-auth-http-required', valid: EXTERNAL_AUTH, invalid: { protocol: 'HTTP', backendRef: BACKEND } },
  {
    rule: 'e2083e9fe8d0',
    code: 'external-auth-http-unexpected',
    valid: EXTERNAL_AUTH,
    invalid: { protocol: 'GRPC', backendRef: BACKEND, grpc: {}, http: {} },
  },
  { rule: '089ed26a9f0f', code: 'backend-port-required', valid: { name: 'a', kind: 'Other' }, invalid: { name: 'a' } },
  { rule: '91f0c17f10a5', code: 'backend-port-unexpected', valid: X_BACKEND, invalid: { ...X_BACKEND, port: 80 } },
  {
    rule: '2179202e3c83',
    code: 'mirror-percent-or-fraction',
    valid: { backendRef: BACKEND, percent: 10 },
    invalid: { backendRef: BACKEND, percent: 10, fraction: { numerator: 1 } },
  },
  { rule: 'c7c8b7bb79e4', code: 'fraction-at-most-one', valid: { numerator: 100 }, invalid: { numerator: 101 } },
  {
    rule: 'e2610261534d',
    code: 'cors-wildcard-alone',
    valid: ['*'],
    invalid: (path: string) => ['*', path.endsWith('allowOrigins') ? 'https://example.com' : 'GET'],
  },
  {
    rule: '85716a2b530d',
    code: 'path-modifier-required',
    valid: { type: 'ReplaceFullPath', replaceFullPath: '' },
    invalid: { type: 'ReplaceFullPath' },
  },
  {
    rule: 'c04f03f45be6',
    code: 'path-modifier-unexpected',
    valid: { type: 'ReplaceFullPath', replaceFullPath: '/a' },
    invalid: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/a', replaceFullPath: '/a' },
  },
  {
    rule: '4dba3b1d65ee',
    code: 'path-modifier-required',
    valid: { type: 'ReplacePrefixMatch', replacePrefixMatch: '' },
    invalid: { type: 'ReplacePrefixMatch' },
  },
  {
    rule: '02cf28521adb',
    code: 'path-modifier-unexpected',
    valid: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/a' },
    invalid: { type: 'ReplaceFullPath', replacePrefixMatch: '/a', replaceFullPath: '/a' },
  },

  // Routes
  {
    rule: '30e99257d51d',
    code: 'parent-section-required',
    valid: [
      { name: 'a', sectionName: 'x' },
      { name: 'a', sectionName: 'y' },
      { name: 'a', namespace: 'b' },
    ],
    invalid: [{ name: 'a', sectionName: 'x' }, { name: 'a' }],
  },
  {
    rule: '8392cce9fda2',
    code: 'parent-unique',
    valid: [
      { name: 'a', port: 80 },
      { name: 'a', port: 81 },
    ],
    invalid: [{ name: 'a', port: 80 }, { name: 'b' }, { name: 'a', port: 80 }],
  },
  {
    rule: '837b88f53c5a',
    code: 'too-many-matches',
    valid: [{ matches: matches(64) }, { matches: matches(64) }, {}],
    invalid: [{ matches: matches(64) }, { matches: matches(64) }, { matches: matches(1) }],
  },
  {
    rule: 'dfef9215af4a',
    code: 'too-many-matches',
    valid: [{ matches: matches(64) }, { matches: matches(64) }],
    // The default match of the last rule counts too.
    invalid: [{ matches: matches(64) }, { matches: matches(64) }, {}],
  },
  { rule: '5d343ad9ee1d', code: 'rule-name-unique', valid: named('a', 'b'), invalid: named('a', 'a') },
  {
    rule: '80d5779a116f',
    code: 'redirect-with-backends',
    valid: { filters: [redirect], backendRefs: [] },
    invalid: { filters: [redirect], backendRefs: [BACKEND] },
  },
  {
    rule: '14c17d520e25',
    code: 'prefix-replacement-without-prefix',
    valid: { filters: [redirectPrefix] },
    invalid: { filters: [redirectPrefix], matches: EXACT },
  },
  {
    rule: '0fa5a331dde4',
    code: 'prefix-replacement-without-prefix',
    valid: { filters: [rewritePrefix] },
    invalid: { filters: [rewritePrefix], matches: TWO },
  },
  {
    rule: '06e14dab4fdb',
    code: 'prefix-replacement-without-prefix',
    // Of two backendRefs the rule asks nothing: it says exists_one.
    valid: {
      backendRefs: [
        { ...BACKEND, filters: [redirectPrefix] },
        { ...BACKEND, filters: [redirectPrefix] },
      ],
      matches: EXACT,
    },
    invalid: { backendRefs: [{ ...BACKEND, filters: [redirectPrefix] }, BACKEND], matches: EXACT },
  },
  {
    rule: 'bf9fd4333dc7',
    code: 'prefix-replacement-without-prefix',
    valid: { backendRefs: [{ ...BACKEND, filters: [rewritePrefix] }] },
    invalid: { backendRefs: [{ ...BACKEND, filters: [rewritePrefix] }], matches: [] },
  },
  {
    rule: '3f02004fba84',
    code: 'timeout-backend-too-long',
    valid: { request: '0s', backendRequest: '1h' },
    invalid: { request: '1s', backendRequest: '1001ms' },
  },

  // Session persistence
  {
    rule: 'b58d268669c2',
    code: 'session-timeout-required',
    valid: { cookie: { lifetimeType: 'Permanent' }, absoluteTimeout: '1h' },
    invalid: { cookie: { lifetimeType: 'Permanent' } },
  },
  {
    rule: 'b9916a8906bd',
    code: 'session-field-unexpected',
    valid: { type: 'Cookie', cookie: {} },
    invalid: { type: 'Header', header: { name: 'a' }, cookie: {} },
  },
  { rule: '42c92c84803e', code: 'session-field-required', valid: { cookie: {} }, invalid: {} },
  {
    rule: 'd5d10b1a2603',
    code: 'session-field-unexpected',
    valid: { type: 'Header', header: { name: 'a' } },
    invalid: { cookie: {}, header: { name: 'a' } },
  },
  { rule: '4d46b9eb5dca', code: 'session-field-required', valid: { type: 'Header', header: { name: 'a' } }, invalid: { type: 'Header' } },

  // Matches
  { rule: 'd1b1dcc5e58d', code: 'path-absolute', valid: { type: 'RegularExpression', value: 'a' }, invalid: { value: 'a' } },
  { rule: '2a730cbab54f', code: 'path-double-slash', valid: { value: '/a/b/' }, invalid: { value: '/a//b' } },
  { rule: '8c3f86ff5007', code: 'path-dot-segment', valid: { value: '/.a/.b' }, invalid: { value: '/a/./b' } },
  { rule: 'ced0ffeab40b', code: 'path-parent-segment', valid: { value: '/..a/..b' }, invalid: { value: '/a/../b' } },
  { rule: '16add9e26d63', code: 'path-encoded-slash', valid: { value: '/a%2eb' }, invalid: { value: '/a%2fb' } },
  { rule: '5f510e9128a4', code: 'path-encoded-slash', valid: { value: '/a%2Eb' }, invalid: { value: '/a%2Fb' } },
  { rule: '209894350d71', code: 'path-fragment', valid: { value: '/a;b=c' }, invalid: { type: 'Exact', value: '/a#b' } },
  { rule: '0c441c9dd7a1', code: 'path-parent-segment', valid: { value: '/a..' }, invalid: { value: '/a/..' } },
  { rule: 'c36405e2d074', code: 'path-dot-segment', valid: { value: '/a.' }, invalid: { type: 'Exact', value: '/a/.' } },
  { rule: '1267f0554fa2', code: 'enum', valid: { type: 'Exact' }, invalid: { type: 'Prefix' } },
  { rule: '67736b8f4210', code: 'path-characters', valid: { value: "/a-._~!$&'()*+,;=:@%00" }, invalid: { value: '/a b' } },
  { rule: '6cb810174eb6', code: 'grpc-method-required', valid: { service: 'a' }, invalid: {} },
  { rule: 'fb8615af1d49', code: 'grpc-service-name', valid: { service: '.foo.Bar_1' }, invalid: { service: 'foo/Bar' } },
  { rule: '7797fc313149', code: 'grpc-method-name', valid: { type: 'RegularExpression', method: '1.*' }, invalid: { method: '1a' } },

  // TLSRoute
  { rule: '0843be6f6939', code: 'hostname-is-ip', valid: ['1.2.3.com'], invalid: ['a.example.com', '192.0.2.1'] },
  { rule: '20123a065b59', code: 'pattern', valid: ['a.example.com'], invalid: ['A.example.com'] },
  { rule: 'b31a373d8a00', code: 'pattern', valid: ['*.example.com'], invalid: ['a.*.example.com'] },
]
