/**
 * standalone: what makes a laptop a cluster. Overlay (echo backends, Service mapping, development certificates, a missing
 * class or Gateway) and placement (ports below 1024, one port for many Gateways).
 *
 * `Overlay` is pure: `plan` says what the files lack and which I/O would mend it, `apply` puts whole typed objects over the snapshot
 * (not parsed: the API would refuse a loopback endpoint). What it makes from the same input objects stays the same object from pass to
 * pass, so that translate redoes only what changed. `Laptop` is the edge around it that binds ports and makes certificates.
 * `run` translates twice: the plain snapshot gives statuses and findings, the overlaid one the configuration. `--strict` means that
 * nobody calls this folder; translate has no branch for it.
 */
import type { KubeSecret, ServicePort } from '../api/core.ts'
import type { Finding } from '../api/finding.ts'
import type { Gateway, Listener } from '../api/gateway.ts'
import type { ObjectRef } from '../api/meta.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { hostPort } from '../lib/host-port.ts'
import type { Translation } from '../translate/translation.ts'
import { certificateNeeds } from './certificate-needs.ts'
import type { CertificateNeed, ListenerOwner } from './certificate-needs.ts'
import { developmentClassName, developmentGateway, missingGateways } from './development-gateway.ts'
import type { GatewaySearch } from './development-gateway.ts'
import type { Leaf } from './development-ca.ts'
import { developmentClass, missingClasses } from './gateway-class.ts'
import type { Kindness } from './kindness.ts'
import { Memory } from './memory.ts'
import { Edits, OverlaidSnapshot } from './overlaid-snapshot.ts'
import { serviceNeeds, wantedServices } from './service-needs.ts'
import type { ServiceNeed, WantedServices } from './service-needs.ts'
import type { ServiceMapping } from './service-mapping.ts'
import { echoSlice, mappedSlices, remainingSlices, standInService } from './service-objects.ts'

export interface OverlayOptions extends OverlaySettings {
  /** Of a GatewayClass that no file defines. */
  readonly controllerName: string
}

/** What may be another from pass to pass. */
export interface OverlaySettings {
  /** The last one of a Service's port counts. */
  readonly mappings: readonly ServiceMapping[]
  /** Echo backends for Services without endpoints. */
  readonly echo: boolean
  /** Certificates of the development CA for listeners without a usable one. */
  readonly certificates: boolean
}

/** What the files lack. `wants` is the I/O to do before `apply`. */
export interface OverlayPlan {
  readonly snapshot: Snapshot
  readonly edits: Edits
  readonly kindnesses: readonly Kindness[]
  readonly certificates: readonly CertificateNeed[]
  readonly services: readonly ServiceNeed[]
  readonly wants: OverlayWants
}

export interface OverlayWants {
  /** Names to make a leaf certificate for. */
  readonly hostnames: readonly string[]
  /** Services to bind an echo backend for. */
  readonly echoes: readonly { readonly namespace: string; readonly name: string }[]
  /** Hosts of Service mappings, to be resolved to addresses. */
  readonly hosts: readonly string[]
}

/** What the edge brought back. What is absent could not be had: the listener or port stays as the files have it. */
export interface OverlayInputs {
  readonly leaves: ReadonlyMap<string, Leaf>
  /** Loopback port by `namespace/name` of the Service. */
  readonly echoPorts: ReadonlyMap<string, number>
  readonly addresses: ReadonlyMap<string, readonly string[]>
  readonly findings: readonly Finding[]
}

export interface Overlaid {
  readonly snapshot: Snapshot
  readonly kindnesses: readonly Kindness[]
  readonly findings: readonly Finding[]
}

export class Overlay {
  #options: OverlayOptions
  readonly #memory = new Memory()
  #search: GatewaySearch | undefined
  #wanted: WantedServices | undefined
  #view: OverlaidSnapshot | undefined

  constructor(options: OverlayOptions) {
    this.#options = { ...options, mappings: lastOfEach(options.mappings) }
  }

  /** From the next `plan` on. */
  configure(settings: OverlaySettings): void {
    const mappings = lastOfEach(settings.mappings)
    const isSame = JSON.stringify(mappings) === JSON.stringify(this.#options.mappings)
    this.#options = { ...this.#options, ...settings, mappings: isSame ? this.#options.mappings : mappings }
  }

  /** `strict` is the translation of `snapshot`; `refused` are the `Kind/namespace/name` of objects that the files hold and nobody could take. */
  plan(snapshot: Snapshot, strict: Translation, refused: ReadonlySet<string> = new Set()): OverlayPlan {
    const edits = new Edits()
    const kindnesses: Kindness[] = []
    this.#putGateways(snapshot, refused, edits, kindnesses)
    this.#freeAddresses(snapshot, edits, kindnesses)
    this.#putClasses(snapshot, edits, kindnesses)
    const view = new OverlaidSnapshot(snapshot, edits)
    const certificates = this.#options.certificates ? certificateNeeds(view, strict, this.#memory) : []
    this.#wanted = wantedServices(snapshot, this.#options.mappings, this.#wanted)
    const services = serviceNeeds(snapshot, this.#wanted, this.#options.echo)
    const wants = {
      hostnames: [...new Set(certificates.flatMap((need) => need.hostnames))],
      echoes: services.filter((need) => need.echoPorts.length > 0).map(({ namespace, name }) => ({ namespace, name })),
      hosts: [...new Set(services.flatMap((need) => need.mappings.map((mapping) => mapping.target.host)))],
    }
    return { snapshot, edits, kindnesses, certificates, services, wants }
  }

  /** Ends the pass that `plan` began; call it once for each plan. */
  apply(plan: OverlayPlan, inputs: OverlayInputs): Overlaid {
    const kindnesses = [...plan.kindnesses]
    const findings = [...inputs.findings]
    for (const need of plan.services) this.#mendService(need, inputs, plan.edits, kindnesses, findings)
    this.#mendListeners(plan.certificates, inputs, plan.edits, kindnesses)
    this.#memory.endPass()
    this.#view = new OverlaidSnapshot(plan.snapshot, plan.edits, this.#view)
    return { snapshot: this.#view, kindnesses, findings }
  }

  #putGateways(snapshot: Snapshot, refused: ReadonlySet<string>, edits: Edits, kindnesses: Kindness[]): void {
    this.#search = missingGateways(snapshot, this.#search)
    for (const missing of this.#search.missing) {
      const { namespace, name, routes, listenerSets, sections } = missing
      // Its author has to mend it: other listeners in its place would hide that.
      if (refused.has(`Gateway/${namespace}/${name}`)) continue
      const gateway = this.#memory.keep(`Gateway ${namespace}/${name}`, [JSON.stringify(sections)], () => developmentGateway(missing))
      edits.put(gateway)
      const listeners = gateway.spec.listeners.map(({ port, protocol }) => `${protocol} ${port}`).join(', ')
      kindnesses.push({
        kind: 'gateway',
        object: { kind: 'Gateway', namespace, name },
        text: `no file defines Gateway ${namespace}/${name} (named by ${listed([...routes, ...listenerSets])}): a development Gateway serves ${listeners || 'the listeners of the ListenerSets'}`,
      })
    }
  }

  /** The addresses of a cluster's network are not this machine's to grant (GatewaySpec.addresses); placement finds one. */
  #freeAddresses(snapshot: Snapshot, edits: Edits, kindnesses: Kindness[]): void {
    for (const gateway of snapshot.all('Gateway')) {
      if (gateway.spec.addresses.length === 0) continue
      const { namespace, name } = gateway.metadata
      const free = (): Gateway => ({ ...gateway, spec: { ...gateway.spec, addresses: [] } })
      edits.put(this.#memory.keep(`addresses ${namespace}/${name}`, [gateway], free))
      const asked = gateway.spec.addresses.map(({ value }) => value ?? 'one of the cluster')
      kindnesses.push({
        kind: 'address',
        object: { kind: 'Gateway', namespace, name },
        text: `Gateway ${namespace}/${name} asks for the address ${listed(asked)}: it is served on one of this machine`,
      })
    }
  }

  #putClasses(snapshot: Snapshot, edits: Edits, kindnesses: Kindness[]): void {
    const { controllerName } = this.#options
    for (const [name, gateways] of missingClasses(snapshot, edits.all(snapshot, 'Gateway'))) {
      edits.put(this.#memory.keep(`GatewayClass ${name}`, [], () => developmentClass(name, controllerName)))
      if (name === developmentClassName) continue
      const users = gateways.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
      kindnesses.push({
        kind: 'gateway-class',
        object: { kind: 'GatewayClass', namespace: '', name },
        text: `no file defines GatewayClass ${name} (used by ${listed(users)}): served here as if its controller were ${controllerName}`,
      })
    }
  }

  #mendService(need: ServiceNeed, inputs: OverlayInputs, edits: Edits, kindnesses: Kindness[], findings: Finding[]): void {
    const { namespace, name, service, backend } = need
    const path = `${namespace}/${name}`
    const object = backend === undefined ? { kind: 'Service', namespace, name } : { kind: 'XBackend', namespace, name: backend }
    for (const { port, routes } of need.unasked) findings.push(notEchoed(object, port, routes))
    const echoPort = need.echoPorts.length === 0 ? undefined : inputs.echoPorts.get(path)
    if (need.mappings.length === 0 && echoPort === undefined) return
    const shape = [service, portsInWords(need.missingPorts)]
    const standIn = this.#memory.keep(`Service ${path}`, shape, () => standInService(need))
    if (standIn !== undefined) edits.put(standIn)
    if (echoPort !== undefined) {
      const echoed = portsInWords(need.echoPorts)
      edits.put(this.#memory.keep(`echo ${path}`, [...shape, echoed, echoPort], () => echoSlice(need, echoPort)))
      kindnesses.push(
        backend !== undefined
          ? { kind: 'echo', object, text: `nothing runs the pods of XBackend ${namespace}/${backend} here: an echo backend answers for it` }
          : service === undefined
            ? {
                kind: 'service',
                object,
                text: `no file defines Service ${path} (named by ${listed(need.routes)}): an echo backend answers for it`,
              }
            : { kind: 'echo', object, text: `no file gives Service ${path} endpoints: an echo backend answers for it` },
      )
    }
    if (need.mappings.length === 0) return
    const addresses = need.mappings.map((mapping) => inputs.addresses.get(mapping.target.host))
    const mapped = need.mappings.map(({ port, target }) => `${port}=${hostPort(target.host, target.port)}`).join()
    for (const slice of this.#memory.keep(`mapped ${path}`, [...shape, mapped, ...addresses], () => mappedSlices(need, inputs.addresses)))
      edits.put(slice)
    for (const [slice, rest] of this.#memory.keep(`rest ${path}`, [service, mapped, ...need.slices], () => remainingSlices(need))) {
      if (rest === undefined) edits.hide(slice)
      else edits.put(rest)
    }
    for (const { port, target } of need.mappings)
      kindnesses.push({ kind: 'mapping', object, text: `port ${port} of Service ${path} is ${hostPort(target.host, target.port)}` })
    if (need.routes.length === 0)
      findings.push({
        code: 'service-mapping-unused',
        severity: 'warning',
        object,
        message: `Service ${path} is mapped, but no route sends requests to it`,
      })
  }

  #mendListeners(needs: readonly CertificateNeed[], inputs: OverlayInputs, edits: Edits, kindnesses: Kindness[]): void {
    const byOwner = new Map<ListenerOwner, CertificateNeed[]>()
    for (const need of needs) {
      const known = need.hostnames.filter((hostname) => inputs.leaves.has(hostname))
      if (known.length === 0) continue
      const served = { ...need, hostnames: known }
      byOwner.set(need.owner, [...(byOwner.get(need.owner) ?? []), served])
      const { kind, metadata } = need.owner
      for (const hostname of known) this.#putLeaf(metadata.namespace, hostname, inputs.leaves.get(hostname), edits)
      kindnesses.push({
        kind: 'certificate',
        object: { kind, namespace: metadata.namespace, name: metadata.name },
        text: `listener ${need.listener} has no usable certificate (${need.problem}): a development certificate for ${listed(known)} serves it`,
      })
    }
    for (const [owner, mended] of byOwner) {
      const wanted = JSON.stringify(mended.map(({ listener, hostnames, usable }) => [listener, hostnames, usable]))
      const key = `certificates ${owner.kind} ${owner.metadata.namespace}/${owner.metadata.name}`
      edits.put(this.#memory.keep(key, [owner, wanted], () => withCertificates(owner, mended)))
    }
  }

  #putLeaf(namespace: string, hostname: string, leaf: Leaf | undefined, edits: Edits): void {
    if (leaf === undefined) return
    edits.put(this.#memory.keep(`Secret ${namespace} ${hostname}`, [leaf], () => leafSecret(namespace, hostname, leaf)))
  }
}

function portsInWords(ports: readonly ServicePort[]): string {
  return ports.map(({ port, protocol }) => `${protocol} ${port}`).join()
}

function lastOfEach(mappings: readonly ServiceMapping[]): readonly ServiceMapping[] {
  return [...new Map(mappings.map((mapping) => [`${mapping.namespace}/${mapping.name}:${mapping.port}`, mapping])).values()]
}

/** An echo backend answers every question with 200, which would allow every request. */
function notEchoed(service: ObjectRef, port: number, routes: readonly string[]): Finding {
  const mapped = service.kind === 'XBackend' ? `xbackend-${service.name}` : service.name
  return {
    code: 'authorisation-not-echoed',
    severity: 'warning',
    object: service,
    message: `No file gives it endpoints, and no echo backend answers for it, since that would allow everything: what ${listed(routes)} wants it to authorise is refused`,
    fix: { text: `Let a server of yours answer: --service ${service.namespace}/${mapped}:${port}=localhost:PORT` },
  }
}

function withCertificates(owner: ListenerOwner, needs: readonly CertificateNeed[]): ListenerOwner {
  const listeners = owner.spec.listeners.map((listener): Listener => {
    const need = needs.find((candidate) => candidate.listener === listener.name)
    if (need === undefined) return listener
    const made = need.hostnames.map((hostname) => ({ group: '', kind: 'Secret', name: secretName(hostname) }))
    const tls = { mode: 'Terminate' as const, options: listener.tls?.options ?? {}, certificateRefs: [...need.usable, ...made] }
    return { ...listener, tls }
  })
  return owner.kind === 'Gateway'
    ? ({ ...owner, spec: { ...owner.spec, listeners } } satisfies Gateway)
    : { ...owner, spec: { ...owner.spec, listeners } }
}

function leafSecret(namespace: string, hostname: string, leaf: Leaf): KubeSecret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secretName(hostname), namespace, generation: 1, labels: {}, annotations: {} },
    type: 'kubernetes.io/tls',
    data: leaf.data,
  }
}

function secretName(hostname: string): string {
  return `gatewright-development.${hostname.replace('*', 'wildcard')}`
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ')
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown
}
