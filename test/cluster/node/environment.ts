/** A container's environment, and `$(NAME)` in its arguments. */
import { API_SERVICE } from '../addresses.ts'
import type { Container, DataObject, EnvVar, Pod } from '../objects.ts'
import { fieldOf } from './fields.ts'

/** Objects of the pod's namespace, by name. */
export interface NamespaceData {
  readonly secret: (name: string) => DataObject | undefined
  readonly configMap: (name: string) => DataObject | undefined
}

type Environment = Readonly<Record<string, string>>

/** Throws, with what is missing, when something that it refers to is not there. */
export function environmentOf(pod: Pod, container: Container, address: string, data: NamespaceData): Environment {
  const environment: Record<string, string> = {
    HOSTNAME: pod.metadata.name,
    KUBERNETES_SERVICE_HOST: API_SERVICE,
    KUBERNETES_SERVICE_PORT: '443',
  }
  for (const source of container.envFrom ?? []) {
    const values =
      source.secretRef === undefined ? textOf(data, source.configMapRef, 'configMap') : textOf(data, source.secretRef, 'secret')
    for (const [name, value] of Object.entries(values)) environment[(source.prefix ?? '') + name] = value
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, pod, container, address, data)
    if (value !== undefined) environment[variable.name] = variable.valueFrom === undefined ? expand(value, environment) : value
  }
  return environment
}

/** `$(NAME)` becomes the variable's value, `$$(NAME)` stays as `$(NAME)`, an unknown name stays as it is. */
export function expand(text: string, environment: Environment): string {
  return text.replace(/\$\$|\$\(([^()]+)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (environment[name] ?? whole),
  )
}

function valueOf(variable: EnvVar, pod: Pod, container: Container, address: string, data: NamespaceData): string | undefined {
  const from = variable.valueFrom
  if (from === undefined) return variable.value ?? ''
  if (from.fieldRef !== undefined) return fieldOf(pod, address, from.fieldRef.fieldPath)
  if (from.secretKeyRef !== undefined) return keyOf(data, from.secretKeyRef, 'secret')
  if (from.configMapKeyRef !== undefined) return keyOf(data, from.configMapKeyRef, 'configMap')
  if (from.resourceFieldRef !== undefined) return resourceOf(container, from.resourceFieldRef.resource)
  throw new Error(`the source of environment variable ${variable.name} is not supported`)
}

function keyOf(
  data: NamespaceData,
  reference: { readonly name: string; readonly key: string; readonly optional?: boolean },
  kind: 'secret' | 'configMap',
): string | undefined {
  const value = textOf(data, reference, kind)[reference.key]
  if (value === undefined && reference.optional !== true) throw new Error(`couldn't find key ${reference.key} in ${kind} ${reference.name}`)
  return value
}

function textOf(
  data: NamespaceData,
  reference: { readonly name: string; readonly optional?: boolean } | undefined,
  kind: 'secret' | 'configMap',
): Environment {
  if (reference === undefined) return {}
  const object = data[kind](reference.name)
  if (object === undefined && reference.optional !== true) throw new Error(`${kind} "${reference.name}" not found`)
  const values = Object.entries(object?.data ?? {})
  return Object.fromEntries(values.map(([key, value]) => [key, kind === 'secret' ? Buffer.from(value, 'base64').toString('utf8') : value]))
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 }

/** Whole cores, rounded up, and bytes, as the default divisor asks. */
function resourceOf(container: Container, resource: string): string {
  const [list = '', name = ''] = resource.split('.')
  const quantity = (list === 'limits' ? container.resources?.limits : container.resources?.requests)?.[name]
  const [, number, unit = ''] = /^([\d.]+)(m|[kMG]|[KMG]i)?$/.exec(quantity ?? '') ?? []
  if (number === undefined) throw new Error(`resource ${resource} is not set in container ${container.name}`)
  return String(Math.ceil(unit === 'm' ? Number(number) / 1000 : Number(number) * (units[unit] ?? 1)))
}
