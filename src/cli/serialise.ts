/** Output for programs: JSON, or YAML that a person can read too. Secrets redact themselves. */
import { stringify } from 'yaml'

export function serialise(value: unknown, format: 'json' | 'yaml'): string {
  // Through JSON first, so that both formats hold the same and values that redact themselves have done so.
  const plain: unknown = JSON.parse(JSON.stringify(value))
  return format === 'json' ? `${JSON.stringify(plain, undefined, 2)}\n` : stringify(plain, { lineWidth: 0, aliasDuplicateObjects: false })
}
