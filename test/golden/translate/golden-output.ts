/** A translation as golden cases show it: everything that it says, in as few lines as can be read. */
import { Document, isCollection, visit } from 'yaml'
import type { Translation } from '../../../src/translate/translation.ts'

const WIDTH = 120

export function goldenOutput({ statuses, configs, infra, endpointServices, findings, wants, keys }: Translation): string {
  const output = {
    statuses: statuses.map(({ kind, namespace, name, status }) => ({
      [[kind, namespace, name].filter(Boolean).join('/')]: status,
    })),
    // The PEM chain is the input again; the fingerprint stands for it.
    configs: configs.map((config) => ({
      ...config,
      certificates: config.certificates.map(({ fingerprint, names }) => ({ fingerprint, names })),
    })),
    infra,
    endpointServices,
    findings,
    wants,
    keys: [...keys],
  }
  // Through JSON, as every printer does it: keys redact themselves.
  const plain = JSON.parse(JSON.stringify(output, shorten)) as Record<string, readonly unknown[]>
  const document = new Document(Object.fromEntries(Object.entries(plain).filter(([, list]) => list.length > 0)), {
    aliasDuplicateObjects: false,
  })
  visit(document, {
    Collection: (_, node) => {
      if (isCollection(node) && JSON.stringify(node).length < WIDTH) node.flow = true
    },
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: true })
}

interface ShownCondition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly observedGeneration: number
}

/** A condition on one line, `Type=Status Reason @generation: message`; features and kinds by their names. */
function shorten(key: string, value: unknown): unknown {
  // No ListenerSet is the rule, and would be a line of every Gateway.
  if (key === 'attachedListenerSets' && value === 0) return undefined
  if (!Array.isArray(value)) return value
  if (key === 'conditions') return (value as readonly ShownCondition[]).map(conditionLine)
  if (key === 'supportedFeatures') return (value as readonly { name: string }[]).map(({ name }) => name).join(' ')
  if (key === 'supportedKinds') return (value as readonly { kind: string }[]).map(({ kind }) => kind)
  return value
}

function conditionLine({ type, status, reason, message, observedGeneration }: ShownCondition): string {
  return `${type}=${status} ${reason} @${observedGeneration}: ${message}`
}
