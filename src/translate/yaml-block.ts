/** Small YAML for messages: plain data as block style that reads well in a status and can be applied as printed. */

export type YamlValue = string | number | boolean | readonly YamlValue[] | { readonly [key: string]: YamlValue }

/** Without a final newline. Empty maps and lists are `{}` and `[]`. */
export function yamlBlock(value: YamlValue): string {
  return lines(value).join('\n')
}

function lines(value: YamlValue): readonly string[] {
  if (typeof value !== 'object') return [scalar(value)]
  if (Array.isArray(value)) {
    return (value as readonly YamlValue[]).flatMap((element) => lines(element).map((line, i) => (i === 0 ? `- ${line}` : `  ${line}`)))
  }
  return Object.entries(value).flatMap(([key, element]) => entry(scalar(key), element))
}

function entry(key: string, value: YamlValue): readonly string[] {
  if (typeof value !== 'object') return [`${key}: ${scalar(value)}`]
  if (Object.keys(value).length === 0) return [`${key}: ${Array.isArray(value) ? '[]' : '{}'}`]
  return [`${key}:`, ...lines(value).map((line) => (Array.isArray(value) ? line : `  ${line}`))]
}

/** Text stays plain where no YAML reader could take it for something else. */
const PLAIN = /^[A-Za-z][A-Za-z0-9_./-]*$/
const RESERVED = /^(?:true|false|yes|no|on|off|y|n|null)$/i

function scalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value)
  return PLAIN.test(value) && !RESERVED.test(value) ? value : JSON.stringify(value)
}
