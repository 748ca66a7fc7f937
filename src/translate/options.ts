/** What a pass may be told beside the snapshot. A change of options makes everything anew. */

export interface TranslateOptions {
  /** A GatewayClass with this `spec.controllerName` is ours. */
  readonly controllerName: string
  /** Every GatewayClass is ours, whatever its controllerName: a laptop serves the manifests of any cluster. */
  readonly anyClassIsOurs: boolean
  /** `gateway.networking.k8s.io/bundle-version` of the installed CRDs; absent offline, where v1.7 is assumed. */
  readonly bundleVersion?: string
  /** Serve Services of type ExternalName and FQDN endpoints (CVE-2021-25740: whoever may write them can reach any address). */
  readonly allowExternalName?: boolean
  /**
   * Proxies of an earlier moment may be there, in a cluster: a Gateway that is not accepted for what concerns its infrastructure alone
   * has a configuration for them. Otherwise it serves nothing, as one would that is new.
   */
  readonly servesOn?: boolean
}
