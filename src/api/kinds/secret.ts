/** Secret (Kubernetes core/v1). No message of this file shows a value. */
import type { KubeSecret } from '../core.ts'
import { map } from '../schema/collection.ts'
import { defaulted, mapOrEmpty, object } from '../schema/object.ts'
import { text } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import type { Rule, Schema } from '../schema/schema.ts'
import { base64, decodedLength, keysAreFileNames, LARGEST_DATA } from './config-map.ts'
import { root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'

const plain: Schema<string> = {
  read(value, at) {
    if (typeof value === 'string') return value
    at.error('type', 'must be text (put it in quotes)', typeof value)
    return undefined
  },
}

const fields = object(
  {
    ...root('v1', 'Secret', 'Namespaced'),
    type: defaulted(text(), 'Opaque'),
    data: mapOrEmpty(map(base64, { nullIs: '', rules: [keysAreFileNames] })),
    stringData: mapOrEmpty(map(plain, { nullIs: '', rules: [keysAreFileNames] })),
  },
  { unread: ['immutable'] },
)

const dataIsSmall: Rule<KubeSecret> = rule('data-too-long', (self) => {
  const size = Object.values(self.data).reduce((sum, value) => sum + decodedLength(value), 0)
  return size > LARGEST_DATA ? { at: ['data'], must: `must hold at most ${LARGEST_DATA} bytes`, got: `${size}` } : undefined
})

/** The keys that ValidateSecret demands of a type. */
const REQUIRED_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
])

const keysOfTypeAreSet: Rule<KubeSecret> = rule('secret-key-required', (self) => {
  const missing = REQUIRED_KEYS.get(self.type)?.find((key) => !Object.hasOwn(self.data, key))
  return missing === undefined ? undefined : { at: ['data', missing], must: `must be set for type ${self.type}`, got: 'nothing' }
})

const schema: Schema<KubeSecret> = {
  read(value, at) {
    const read = fields.read(value, at)
    if (!read) return undefined
    const { stringData, ...rest } = read
    // stringData wins over data, key by key, and is never stored (SecretREST, "write-only").
    const folded = Object.entries(stringData).map(([key, plain]) => [key, Buffer.from(plain, 'utf8').toString('base64')] as const)
    const secret = { ...rest, data: folded.length === 0 ? rest.data : Object.fromEntries([...Object.entries(rest.data), ...folded]) }
    at.check([dataIsSmall, keysOfTypeAreSet], secret)
    return secret
  },
}

export const secret: KindDefinition = { group: '', kind: 'Secret', scope: 'Namespaced', served: versions(schema, 'v1') }
