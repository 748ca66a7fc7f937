/** What of the official suite is not asked here. An entry that nothing needs any more fails the coverage test. */

const NO_SUCH_PODS = 'the pods here do not speak TLS; it is asked in a cluster (`npm run conformance`)'

/** Features that are claimed, whose tests need what is only in a cluster; some of them are here all the same. */
export const clusterOnly: Readonly<Record<string, string>> = {
  BackendTLSPolicy: NO_SUCH_PODS,
  GatewayBackendClientCertificate: NO_SUCH_PODS,
  GatewayFrontendClientCertificateValidation: 'clients here show no certificates; it is asked in a cluster (`npm run conformance`)',
  TLSRoute: NO_SUCH_PODS,
}

/** Tests whose features are claimed, that ask for something that has no place here. */
export const elsewhere: Readonly<Record<string, string>> = {
  GatewayPreserveForeignConditions: 'what others wrote into a status is kept by the writer of statuses, which a cluster needs',
  GatewayInfrastructureMetadata: 'nothing is created without a cluster; what would be is held by the tests of src/infra',
  HTTPRoutePreserveForeignStatus: 'what others wrote into a status is kept by the writer of statuses, which a cluster needs',
}
