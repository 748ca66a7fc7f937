/** What of the official suite is not asked here yet. An entry that nothing needs any more fails the coverage test. */

/** Features that this version does not claim, each with the reason. A test that needs one of them is left out. */
export const notClaimed: Readonly<Record<string, string>> = {
  BackendTLSPolicy: 'TLS towards backends is not served yet',
  GatewayBackendClientCertificate: 'TLS towards backends is not served yet',
  GatewayFrontendClientCertificateValidation: 'certificates of clients are not asked for yet',
  TCPRoute: 'streams are not served yet',
  TLSRoute: 'streams are not served yet',
  UDPRoute: 'streams are not served yet',
}

/** Tests whose features are claimed, that ask for something that has no place here. */
export const elsewhere: Readonly<Record<string, string>> = {
  GatewayPreserveForeignConditions: 'what others wrote into a status is kept by the writer of statuses, which a cluster needs',
  GatewayInfrastructureMetadata: 'nothing is created without a cluster; what would be is held by the tests of src/infra',
  HTTPRoutePreserveForeignStatus: 'what others wrote into a status is kept by the writer of statuses, which a cluster needs',
}
