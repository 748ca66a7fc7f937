/** ConfigMap (Kubernetes core/v1), and what it shares with Secret. */
import type { ConfigMap } from '../core.ts'
import { show } from '../issue.ts'
import { map } from '../schema/collection.ts'
import { mapOrEmpty, object, optional } from '../schema/object.ts'
import { text } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import type { Rule, Schema } from '../schema/schema.ts'
import { root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'

/** MaxSecretSize, of all the values of a Secret or ConfigMap. */
export const LARGEST_DATA = 1024 * 1024

type Data = Readonly<Record<string, unknown>>

/** IsConfigMapKey. */
export const keysAreFileNames: Rule<Data> = rule('data-key', (self) => {
  const wrong = Object.keys(self).find((key) => key.length > 253 || !/^[-._a-zA-Z0-9]+$/.test(key) || key === '.' || key.startsWith('..'))
  return wrong === undefined
    ? undefined
    : { at: [wrong], must: 'must have as key at most 253 letters, digits, "-", "_" and ".", not beginning with ".."', got: show(wrong) }
})

/** Standard base64 (RFC 4648 section 4) with padding; line breaks are passed over, as Go does. The value itself is never shown. */
export const base64: Schema<string> = {
  read(value, at) {
    if (typeof value !== 'string') {
      at.error('type', 'must be text in base64', typeof value)
      return undefined
    }
    const packed = value.replace(/[\r\n]/g, '')
    if (packed.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(packed)) return packed
    at.error('base64', 'must be base64 (stringData takes plain text)', `${value.length} characters that are not`)
    return undefined
  },
}

/** How many bytes a text of base64 stands for. */
export function decodedLength(packed: string): number {
  return (packed.length / 4) * 3 - (packed.endsWith('==') ? 2 : packed.endsWith('=') ? 1 : 0)
}

interface Contents {
  readonly data: Readonly<Record<string, string>>
  readonly binaryData?: Readonly<Record<string, string>>
}

const keysDoNotOverlap: Rule<Contents> = rule('data-key-twice', (self) => {
  const twice = Object.keys(self.binaryData ?? {}).find((key) => Object.hasOwn(self.data, key))
  return twice === undefined ? undefined : { at: ['binaryData', twice], must: 'must not be a key of data too', got: show(twice) }
})

const dataIsSmall: Rule<Contents> = rule('data-too-long', (self) => {
  let size = 0
  for (const value of Object.values(self.data)) size += Buffer.byteLength(value)
  for (const value of Object.values(self.binaryData ?? {})) size += decodedLength(value)
  return size > LARGEST_DATA ? { must: `must hold at most ${LARGEST_DATA} bytes`, got: `${size}` } : undefined
})

const schema: Schema<ConfigMap> = object(
  {
    ...root('v1', 'ConfigMap', 'Namespaced'),
    data: mapOrEmpty(map(text(), { nullIs: '', rules: [keysAreFileNames] })),
    binaryData: optional(map(base64, { nullIs: '', rules: [keysAreFileNames] })),
  },
  { rules: [keysDoNotOverlap, dataIsSmall], unread: ['immutable'] },
)

export const configMap: KindDefinition = { group: '', kind: 'ConfigMap', scope: 'Namespaced', served: versions(schema, 'v1') }
