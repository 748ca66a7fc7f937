/** Applies the Gateway API's CRDs of the experimental channel, from the module's own folder, and waits until they are served. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ApiClient } from '../api-client.ts'

const COLLECTIONS: Readonly<Record<string, string>> = {
  CustomResourceDefinition: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ValidatingAdmissionPolicy: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
}

interface Definition {
  readonly metadata: { readonly name: string }
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

/** `folder` is that of the module sigs.k8s.io/gateway-api. */
export async function applyCrds(client: ApiClient, folder: string): Promise<void> {
  const channel = join(folder, 'config/crd/experimental')
  const documents = readdirSync(channel)
    .filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml')
    .flatMap((file) => readFileSync(join(channel, file), 'utf8').split(/^---$/m))
    .filter((document) => /^kind:/m.test(document))
  await Promise.all(documents.map((document) => apply(client, document)))
  await untilServed(client, documents.filter((document) => kindOf(document) === 'CustomResourceDefinition').map(nameOf))
}

/** The server reads YAML itself; only where it goes has to be known here. */
async function apply(client: ApiClient, document: string): Promise<void> {
  const collection = COLLECTIONS[kindOf(document)]
  if (collection === undefined)
    throw new Error(`Cannot apply the CRDs: ${kindOf(document)} must be one of ${Object.keys(COLLECTIONS).join(', ')}`)
  await client.patch(`${collection}/${nameOf(document)}?fieldManager=cluster&force=true`, document, 'application/apply-patch+yaml')
}

async function untilServed(client: ApiClient, names: readonly string[]): Promise<void> {
  for (;;) {
    const { items } = await client.get<{ readonly items: readonly Definition[] }>(COLLECTIONS['CustomResourceDefinition'] ?? '')
    const served = new Set(items.filter(isEstablished).map(({ metadata }) => metadata.name))
    if (names.every((name) => served.has(name))) return
    await delay(50)
  }
}

function isEstablished({ status }: Definition): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True') ?? false
}

function kindOf(document: string): string {
  return /^kind: (\S+)/m.exec(document)?.[1] ?? ''
}

function nameOf(document: string): string {
  return /^metadata:\n(?:[ ].*\n)*?[ ]{2}name: "?([^\s"]+)/m.exec(document)?.[1] ?? ''
}
