/** Every finding that translate can make: what is worth saying and is no condition. Each code once; `cause` groups those with one root. */
import type { Service, ServicePort } from '../api/core.ts'
import type { Finding } from '../api/finding.ts'
import type { Gateway, Listener, ListenerSet } from '../api/gateway.ts'
import type { ObjectRef } from '../api/meta.ts'
import type { BackendTlsPolicy } from '../api/policy.ts'
import { nearest } from '../lib/nearest.ts'

type Path = readonly (string | number)[]
type Subject = ObjectRef & { readonly path: Path }

/** What comes of a BackendTLSPolicy whose section does not exist: to fail closed one would have to know which port was meant. */
export const PORT_UNSECURED =
  'Nothing tells which port was meant: requests to it are sent as if there were no such policy, in clear text where no other one holds.'
const SERVICE_UNSECURED =
  'If another Service was meant, nothing tells which: requests to it are sent as if there were no such policy, in clear text where no other one holds.'

const FAIL_INSTEAD = 'Where the port of the Service says appProtocol: https, requests to it fail while no policy holds.'

export const findings = {
  gatewayClassMissing(gateway: Gateway, anyClassIsOurs: boolean): Finding {
    const name = gateway.spec.gatewayClassName
    return {
      code: 'gateway-class-missing',
      severity: 'warning',
      object: refOf(gateway),
      path: ['spec', 'gatewayClassName'],
      message: `GatewayClass ${name} is not defined here: Gateway ${pathOf(gateway)} waits until one is.`,
      fix: anyClassIsOurs
        ? { text: `Add the GatewayClass ${name} of your cluster.` }
        : { text: `Add a GatewayClass ${name} whose controllerName is this controller's.` },
      cause: `GatewayClass//${name}`,
    }
  },

  parentNotFound(subject: Subject, kind: string, namespace: string, name: string): Finding {
    return {
      code: 'parent-not-found',
      severity: 'warning',
      object: objectOf(subject),
      path: subject.path,
      message: `${kind} ${namespace}/${name} is not defined here: nothing serves ${subject.kind} ${subject.namespace}/${subject.name} through it.`,
      cause: `${kind}/${namespace}/${name}`,
    }
  },

  serviceNotDefined(subject: Subject, namespace: string, name: string): Finding {
    return {
      code: 'service-not-defined',
      severity: 'warning',
      object: objectOf(subject),
      path: subject.path,
      message: `Service ${namespace}/${name} is not defined here.`,
      cause: `Service/${namespace}/${name}`,
    }
  },

  /** @param why a clause */
  policyTargetNotServed(subject: Subject, why: string): Finding {
    return {
      code: 'policy-target-not-served',
      severity: 'warning',
      object: objectOf(subject),
      path: subject.path,
      message: `This target has no effect: ${why}.`,
    }
  },

  policyTargetNotDefined(subject: Subject, kind: string, name: string): Finding {
    const { namespace } = subject
    const isSecurity = subject.kind === 'BackendTLSPolicy'
    return {
      code: 'policy-target-not-defined',
      severity: 'warning',
      object: objectOf(subject),
      path: subject.path,
      message: `${kind} ${namespace}/${name} is not defined here: the policy has no effect on it.${isSecurity ? ` ${SERVICE_UNSECURED}` : ''}`,
      ...(isSecurity && { fix: { text: FAIL_INSTEAD } }),
      cause: `${kind}/${namespace}/${name}`,
    }
  },

  /** @param problem a sentence */
  policySectionNotFound(subject: Subject, problem: string, section: string, sections: readonly string[]): Finding {
    const near = nearest(section, sections)
    return {
      code: 'policy-section-not-found',
      severity: 'error',
      object: objectOf(subject),
      path: [...subject.path, 'sectionName'],
      message: `${problem} ${PORT_UNSECURED}`,
      fix: { text: near === undefined ? FAIL_INSTEAD : `Did you mean ${near}?\n${FAIL_INSTEAD}` },
    }
  },

  xBackendNotDefined(subject: Subject, namespace: string, name: string): Finding {
    return {
      code: 'x-backend-not-defined',
      severity: 'warning',
      object: objectOf(subject),
      path: subject.path,
      message: `XBackend ${namespace}/${name} is not defined here.`,
      cause: `XBackend/${namespace}/${name}`,
    }
  },

  appProtocolUnknown(service: Service, { port, appProtocol }: ServicePort, spoken: 'http' | 'h2c'): Finding {
    return {
      code: 'app-protocol-unknown',
      severity: 'warning',
      object: refOf(service),
      path: ['spec', 'ports', service.spec.ports.findIndex((candidate) => candidate.port === port), 'appProtocol'],
      message: `appProtocol ${appProtocol} of port ${port} is not known: ${spoken === 'h2c' ? 'HTTP/2' : 'HTTP/1.1'} is spoken to it.`,
      cause: `Service/${pathOf(service)}:${port}`,
    }
  },

  meshParent(subject: Subject, kind: string, namespace: string, name: string): Finding {
    return {
      code: 'mesh-parent-ignored',
      severity: 'note',
      object: objectOf(subject),
      path: subject.path,
      message: `The parent ${kind} ${kind === 'Service' ? `${namespace}/` : ''}${name} asks for a service mesh, which this is not.`,
    }
  },

  preflightsElsewhere(subject: Subject): Finding {
    return {
      code: 'cors-preflights-elsewhere',
      severity: 'warning',
      object: objectOf(subject),
      path: subject.path,
      message: 'No preflight reaches the CORS filter of this rule: all of its matches ask for another method than OPTIONS.',
      fix: { text: 'Add a match with the same path and method OPTIONS.' },
    }
  },

  proxyProtocolUnheeded(subject: Subject): Finding {
    return {
      code: 'proxy-protocol-unheeded',
      severity: 'warning',
      object: objectOf(subject),
      path: subject.path,
      message: `The annotation has no effect on a ${subject.kind}: it is for TCPRoutes and TLSRoutes, and backends that are asked over HTTP learn of their clients by X-Forwarded-For.`,
    }
  },

  defaultGatewaysNotServed(subject: Subject): Finding {
    return {
      code: 'default-gateways-not-served',
      severity: 'warning',
      object: objectOf(subject),
      path: subject.path,
      message: 'Default Gateways are not served: name the Gateway in parentRefs.',
    }
  },

  defaultScopeNotServed(gateway: Gateway): Finding {
    return {
      code: 'default-scope-not-served',
      severity: 'warning',
      object: refOf(gateway),
      path: ['spec', 'defaultScope'],
      message: 'Default Gateways are not served: only routes that name this Gateway in parentRefs are attached to it.',
    }
  },

  tlsOptionUnknown(owner: Gateway | ListenerSet, listener: Listener, option: string): Finding {
    return {
      code: 'tls-option-unknown',
      severity: 'warning',
      object: refOf(owner),
      path: ['spec', 'listeners', owner.spec.listeners.indexOf(listener), 'tls', 'options', option],
      message: `The TLS option ${option} is not known and has no effect.`,
    }
  },

  backendTlsOptionUnknown(policy: BackendTlsPolicy, option: string): Finding {
    return {
      code: 'tls-option-unknown',
      severity: 'warning',
      object: refOf(policy),
      path: ['spec', 'options', option],
      message: `The TLS option ${option} is not known for backends and has no effect.`,
    }
  },

  certificateHostname(owner: Gateway | ListenerSet, listener: Listener, names: readonly string[]): Finding {
    return {
      code: 'certificate-hostname-mismatch',
      severity: 'warning',
      object: refOf(owner),
      path: ['spec', 'listeners', owner.spec.listeners.indexOf(listener), 'tls', 'certificateRefs'],
      message: `No certificate of listener "${listener.name}" covers its hostname ${listener.hostname}: they are for ${names.length === 0 ? 'no DNS name' : names.join(', ')}.`,
    }
  },

  parametersNotRead(object: ObjectRef, path: Path, kind: string): Finding {
    return {
      code: 'parameters-not-read',
      severity: 'warning',
      object,
      path,
      message: `The parameters (${kind}) belong to another controller and are not read.`,
    }
  },
}

export function refOf({
  kind,
  metadata,
}: {
  readonly kind: string
  readonly metadata: { readonly namespace: string; readonly name: string }
}): ObjectRef {
  return { kind, namespace: metadata.namespace, name: metadata.name }
}

function objectOf({ kind, namespace, name }: Subject): ObjectRef {
  return { kind, namespace, name }
}

function pathOf({ metadata }: { readonly metadata: { readonly namespace: string; readonly name: string } }): string {
  return `${metadata.namespace}/${metadata.name}`
}
