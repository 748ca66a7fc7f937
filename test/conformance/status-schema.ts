/** Whether the API server would take a status: the schema of its CRD, read from the Gateway API's module. */
import type { StatusOf } from '../../src/translate/translation.ts'
import { servedVersions, type JsonSchema } from '../spec/crds.ts'

/** What the API server would refuse or drop; a path and a reason each. */
export type StatusJudge = (status: StatusOf) => readonly string[]

export function statusJudge(gatewayApi: string): StatusJudge {
  const schemas = new Map(
    servedVersions(gatewayApi).map(({ kind, version, schema }) => [`${version} ${kind}`, schema.properties?.['status']]),
  )
  return ({ apiVersion, kind, namespace, name, status }) => {
    const schema = schemas.get(`${apiVersion.replace('gateway.networking.k8s.io/', '')} ${kind}`)
    if (schema === undefined) return [`${apiVersion} ${kind} is served by no cluster`]
    return faults(schema, JSON.parse(JSON.stringify(status, withTime)) as unknown, `${kind} ${namespace}/${name}: status`)
  }
}

/** Conditions get the time of their change when they are written. */
function withTime(key: string, value: unknown): unknown {
  if (key !== 'conditions') return value
  return (value as readonly object[]).map((condition) => ({ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }))
}

function faults(schema: JsonSchema, value: unknown, path: string): readonly string[] {
  if (schema.type === undefined) return []
  switch (schema.type) {
    case 'object':
      return isRecord(value) ? objectFaults(schema, value, path) : [`${path} must be an object`]
    case 'array':
      return Array.isArray(value) ? listFaults(schema, value, path) : [`${path} must be a list`]
    case 'string':
      return typeof value === 'string' ? textFaults(schema, value, path) : [`${path} must be a string`]
    case 'integer':
      return Number.isInteger(value) ? numberFaults(schema, value as number, path) : [`${path} must be an integer`]
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${path} must be a boolean`]
  }
}

function objectFaults(
  { properties = {}, required = [] }: JsonSchema,
  value: Readonly<Record<string, unknown>>,
  path: string,
): readonly string[] {
  const missing = required.filter((name) => value[name] === undefined).map((name) => `${path}.${name} is missing`)
  const fields = Object.entries(value).flatMap(([name, inner]) => {
    const schema = properties[name]
    return schema === undefined ? [`${path}.${name} is no field`] : faults(schema, inner, `${path}.${name}`)
  })
  return [...missing, ...fields]
}

function listFaults(schema: JsonSchema, value: readonly unknown[], path: string): readonly string[] {
  const { items = {}, minItems = 0, maxItems = Infinity } = schema
  const keys = schema['x-kubernetes-list-map-keys']
  const seen = value.map((item) => JSON.stringify(keys === undefined || !isRecord(item) ? item : keys.map((key) => item[key])))
  const unique = schema['x-kubernetes-list-type'] === 'map' || schema['x-kubernetes-list-type'] === 'set'
  return [
    ...(value.length < minItems || value.length > maxItems ? [`${path} has ${value.length} items`] : []),
    ...(unique && new Set(seen).size < seen.length ? [`${path} holds an item twice`] : []),
    ...value.flatMap((item, index) => faults(items, item, `${path}[${index}]`)),
  ]
}

function textFaults(
  { pattern, enum: words, minLength = 0, maxLength = Infinity }: JsonSchema,
  value: string,
  path: string,
): readonly string[] {
  const good =
    value.length >= minLength &&
    value.length <= maxLength &&
    (pattern === undefined || new RegExp(pattern).test(value)) &&
    (words === undefined || words.includes(value))
  return good ? [] : [`${path} cannot be ${JSON.stringify(value)}`]
}

function numberFaults({ minimum = -Infinity, maximum = Infinity }: JsonSchema, value: number, path: string): readonly string[] {
  return value >= minimum && value <= maximum ? [] : [`${path} cannot be ${value}`]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
