/**
 * Every condition that translate can write, each once: type, status and reason as apis/v1 of Gateway API v1.7.0 names them.
 *
 * A constructor takes the generation that was judged and the message. A message says what is wrong, where, and what to do;
 * YAML that mends it follows on lines of its own (see remedy.ts). Conditions that exist only while True
 * (OverlappingTLSConfig, InsecureFrontendValidationMode, PartiallyInvalid) have no other constructor.
 */
import type { Condition } from '../api/meta.ts'

export type MakeCondition = (generation: number, message: string) => Condition

/** The API's limit for the length of a message (metav1.Condition). */
const LONGEST_MESSAGE = 32_768

function condition(type: string, status: Condition['status'], reason: string): MakeCondition {
  return (generation, message) => ({ type, status, reason, message: message.slice(0, LONGEST_MESSAGE), observedGeneration: generation })
}

export const classConditions = {
  accepted: condition('Accepted', 'True', 'Accepted'),
  invalidParameters: condition('Accepted', 'False', 'InvalidParameters'),
  supportedVersion: condition('SupportedVersion', 'True', 'SupportedVersion'),
  unsupportedVersion: condition('SupportedVersion', 'False', 'UnsupportedVersion'),
} as const

export const gatewayConditions = {
  accepted: condition('Accepted', 'True', 'Accepted'),
  acceptedWithInvalidListeners: condition('Accepted', 'True', 'ListenersNotValid'),
  listenersNotValid: condition('Accepted', 'False', 'ListenersNotValid'),
  invalidParameters: condition('Accepted', 'False', 'InvalidParameters'),
  unsupportedAddress: condition('Accepted', 'False', 'UnsupportedAddress'),
  waitingForClass: condition('Accepted', 'Unknown', 'Pending'),

  programmed: condition('Programmed', 'True', 'Programmed'),
  notProgrammedInvalid: condition('Programmed', 'False', 'Invalid'),
  notProgrammedPending: condition('Programmed', 'False', 'Pending'),
  noResources: condition('Programmed', 'False', 'NoResources'),
  addressNotAssigned: condition('Programmed', 'False', 'AddressNotAssigned'),
  addressNotUsable: condition('Programmed', 'False', 'AddressNotUsable'),
  programmedUnknown: condition('Programmed', 'Unknown', 'Pending'),

  resolvedRefs: condition('ResolvedRefs', 'True', 'ResolvedRefs'),
  refNotPermitted: condition('ResolvedRefs', 'False', 'RefNotPermitted'),
  invalidClientCertificateRef: condition('ResolvedRefs', 'False', 'InvalidClientCertificateRef'),
  listenersNotResolved: condition('ResolvedRefs', 'False', 'ListenersNotResolved'),
  /** What is referred to exists and was not read yet: neither resolved nor not. The API has no reason of its own for it. */
  resolvedRefsPending: condition('ResolvedRefs', 'Unknown', 'Pending'),

  addressesAssigned: condition('AddressesAssigned', 'True', 'AddressesAssigned'),
  addressesPartiallyAssigned: condition('AddressesAssigned', 'False', 'PartiallyAssigned'),
  addressesNotAssigned: condition('AddressesAssigned', 'False', 'NotAssigned'),

  insecureFrontendValidationMode: condition('InsecureFrontendValidationMode', 'True', 'ConfigurationChanged'),
} as const

export const listenerConditions = {
  accepted: condition('Accepted', 'True', 'Accepted'),
  unsupportedProtocol: condition('Accepted', 'False', 'UnsupportedProtocol'),
  unsupportedValue: condition('Accepted', 'False', 'UnsupportedValue'),
  /** Of a ListenerSet, whose listeners have no UnsupportedValue. */
  notAcceptedInvalid: condition('Accepted', 'False', 'Invalid'),
  portUnavailable: condition('Accepted', 'False', 'PortUnavailable'),
  noValidCaCertificate: condition('Accepted', 'False', 'NoValidCACertificate'),
  notAcceptedHostnameConflict: condition('Accepted', 'False', 'HostnameConflict'),
  notAcceptedProtocolConflict: condition('Accepted', 'False', 'ProtocolConflict'),

  programmed: condition('Programmed', 'True', 'Programmed'),
  notProgrammedInvalid: condition('Programmed', 'False', 'Invalid'),
  notProgrammedPending: condition('Programmed', 'False', 'Pending'),
  /** Of a ListenerSet; for a Gateway's own it is Invalid. */
  notProgrammedPortUnavailable: condition('Programmed', 'False', 'PortUnavailable'),
  notProgrammedHostnameConflict: condition('Programmed', 'False', 'HostnameConflict'),
  notProgrammedProtocolConflict: condition('Programmed', 'False', 'ProtocolConflict'),

  resolvedRefs: condition('ResolvedRefs', 'True', 'ResolvedRefs'),
  invalidCertificateRef: condition('ResolvedRefs', 'False', 'InvalidCertificateRef'),
  invalidCaCertificateRef: condition('ResolvedRefs', 'False', 'InvalidCACertificateRef'),
  invalidCaCertificateKind: condition('ResolvedRefs', 'False', 'InvalidCACertificateKind'),
  refNotPermitted: condition('ResolvedRefs', 'False', 'RefNotPermitted'),
  invalidRouteKinds: condition('ResolvedRefs', 'False', 'InvalidRouteKinds'),
  /** As a Gateway's. */
  resolvedRefsPending: condition('ResolvedRefs', 'Unknown', 'Pending'),

  noConflicts: condition('Conflicted', 'False', 'NoConflicts'),
  hostnameConflict: condition('Conflicted', 'True', 'HostnameConflict'),
  protocolConflict: condition('Conflicted', 'True', 'ProtocolConflict'),

  overlappingHostnames: condition('OverlappingTLSConfig', 'True', 'OverlappingHostnames'),
  overlappingCertificates: condition('OverlappingTLSConfig', 'True', 'OverlappingCertificates'),
} as const

export const routeConditions = {
  accepted: condition('Accepted', 'True', 'Accepted'),
  noMatchingParent: condition('Accepted', 'False', 'NoMatchingParent'),
  notAllowedByListeners: condition('Accepted', 'False', 'NotAllowedByListeners'),
  noMatchingListenerHostname: condition('Accepted', 'False', 'NoMatchingListenerHostname'),
  unsupportedValue: condition('Accepted', 'False', 'UnsupportedValue'),

  resolvedRefs: condition('ResolvedRefs', 'True', 'ResolvedRefs'),
  refNotPermitted: condition('ResolvedRefs', 'False', 'RefNotPermitted'),
  invalidKind: condition('ResolvedRefs', 'False', 'InvalidKind'),
  backendNotFound: condition('ResolvedRefs', 'False', 'BackendNotFound'),
  unsupportedProtocol: condition('ResolvedRefs', 'False', 'UnsupportedProtocol'),

  /** The message must begin with `Dropped Rule`. */
  partiallyInvalid: condition('PartiallyInvalid', 'True', 'UnsupportedValue'),
} as const

export const listenerSetConditions = {
  accepted: condition('Accepted', 'True', 'Accepted'),
  acceptedWithInvalidListeners: condition('Accepted', 'True', 'ListenersNotValid'),
  listenersNotValid: condition('Accepted', 'False', 'ListenersNotValid'),
  notAllowed: condition('Accepted', 'False', 'NotAllowed'),
  parentNotAccepted: condition('Accepted', 'False', 'ParentNotAccepted'),
  waitingForParent: condition('Accepted', 'Unknown', 'Pending'),

  programmed: condition('Programmed', 'True', 'Programmed'),
  notProgrammedListenersNotValid: condition('Programmed', 'False', 'ListenersNotValid'),
  notProgrammedNotAllowed: condition('Programmed', 'False', 'NotAllowed'),
  parentNotProgrammed: condition('Programmed', 'False', 'ParentNotProgrammed'),
  programmedPending: condition('Programmed', 'Unknown', 'Pending'),
} as const

/** XBackend. The API names Accepted True alone; what is none has the reasons that others have. */
export const backendConditions = {
  accepted: condition('Accepted', 'True', 'Accepted'),
  invalid: condition('Accepted', 'False', 'Invalid'),
  pending: condition('Accepted', 'Unknown', 'Pending'),
} as const

/** BackendTLSPolicy, and XBackendTrafficPolicy, which has Accepted alone. */
export const policyConditions = {
  accepted: condition('Accepted', 'True', 'Accepted'),
  conflicted: condition('Accepted', 'False', 'Conflicted'),
  targetNotFound: condition('Accepted', 'False', 'TargetNotFound'),
  noValidCaCertificate: condition('Accepted', 'False', 'NoValidCACertificate'),
  invalid: condition('Accepted', 'False', 'Invalid'),
  resolvedRefs: condition('ResolvedRefs', 'True', 'ResolvedRefs'),
  invalidCaCertificateRef: condition('ResolvedRefs', 'False', 'InvalidCACertificateRef'),
  invalidKind: condition('ResolvedRefs', 'False', 'InvalidKind'),
} as const
