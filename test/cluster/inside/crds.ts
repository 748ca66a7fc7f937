/** Applies the Gateway API's CRDs of the experimental channel, from the module's own folder, and waits until they are served. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiError } from '../api-client.ts'
import type { ApiClient } from '../api-client.ts'

const COLLECTIONS: Readonly<Record<string, string>> = {
  CustomResourceDefinition: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ValidatingAdmissionPolicy: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
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

/** Asks discovery, whose answers are small; the definitions themselves are more than a megabyte. */
async function untilServed(client: ApiClient, names: readonly string[]): Promise<void> {
  const groups = [...new Set(names.map((name) => name.slice(name.indexOf('.') + 1)))]
  for (;;) {
    const served = new Set((await Promise.all(groups.map((group) => servedOf(client, group)))).flat())
    if (names.every((name) => served.has(name))) return
    await delay(100)
  }
}

/** `httproutes.gateway.networking.k8s.io` and so on. */
async function servedOf(client: ApiClient, group: string): Promise<readonly string[]> {
  try {
    const { versions } = await client.get<{ readonly versions: readonly { readonly groupVersion: string }[] }>(`/apis/${group}`)
    const lists = await Promise.all(
      versions.map(({ groupVersion }) => client.get<{ readonly resources: readonly { readonly name: string }[] }>(`/apis/${groupVersion}`)),
    )
    return lists.flatMap(({ resources }) => resources.map(({ name }) => `${name}.${group}`))
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return []
    throw error
  }
}

function kindOf(document: string): string {
  return /^kind: (\S+)/m.exec(document)?.[1] ?? ''
}

function nameOf(document: string): string {
  return /^metadata:\n(?:[ ].*\n)*?[ ]{2}name: "?([^\s"]+)/m.exec(document)?.[1] ?? ''
}
