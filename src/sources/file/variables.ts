/**
 * `${VAR}` as Flux fills it after the build of a kustomization (envsubst): `${VAR}`, `${VAR:=default}`, `${VAR:-default}`,
 * `${VAR=default}`, `${VAR-default}`; `$${VAR}` stands for the text `${VAR}`.
 */

export type Lookup = (name: string) => string | undefined

export interface Substituted {
  readonly text: string
  /** For each replaced place: where it ends in `text`, and what to add to later offsets to get those of the original. */
  readonly shifts: readonly { readonly end: number; readonly delta: number }[]
}

const VARIABLE = /(\$?)\$\{([A-Za-z_]\w*)(?:(:?[=-])([^{}]*))?\}/g

export function hasVariables(text: string): boolean {
  return text.includes('${')
}

/** Known variables and those with a default are replaced; all others stay as they stand. */
export function substitute(text: string, lookup: Lookup): Substituted {
  const shifts: { end: number; delta: number }[] = []
  let result = ''
  let copied = 0
  for (const match of text.matchAll(VARIABLE)) {
    const [whole, escape, name = '', , fallback] = match
    if (escape === '$') continue
    const value = lookup(name) ?? fallback
    if (value === undefined) continue
    result += text.slice(copied, match.index) + value
    copied = match.index + whole.length
    shifts.push({ end: result.length, delta: copied - result.length })
  }
  return { text: result + text.slice(copied), shifts }
}

/** The offset in the original text of an offset in the substituted one. */
export function originalOffset({ shifts }: Substituted, offset: number): number {
  const shift = shifts.findLast(({ end }) => end <= offset)
  return offset + (shift?.delta ?? 0)
}

export interface VariableUse {
  readonly name: string
  readonly path: readonly (string | number)[]
}

export interface Settled {
  readonly value: unknown
  readonly unknown: readonly VariableUse[]
}

/** How to write the hostname that an unknown variable is part of. */
export type NameHost = (hostname: string) => string

/**
 * What is left after `substitute`: unescapes `$${VAR}`, lists unknown variables with the path of the value that holds
 * them, and renames hostnames that hold one when `nameHost` is given.
 */
export function settleVariables(value: unknown, nameHost: NameHost | undefined): Settled {
  const unknown: VariableUse[] = []
  const settle = (at: unknown, path: readonly (string | number)[]): unknown => {
    if (typeof at === 'string') return settleText(at, path)
    if (Array.isArray(at)) return at.map((item, index) => settle(item, [...path, index]))
    if (typeof at !== 'object' || at === null) return at
    return Object.fromEntries(Object.entries(at).map(([key, item]) => [key, settle(item, [...path, key])]))
  }
  const settleText = (text: string, path: readonly (string | number)[]): string => {
    if (!hasVariables(text)) return text
    const names = [...text.matchAll(VARIABLE)].filter(([, escape]) => escape !== '$').map(([, , name = '']) => name)
    for (const name of new Set(names)) unknown.push({ name, path })
    const kept = names.length > 0 && nameHost && isHostname(path) ? nameHost(text) : text
    return kept.replaceAll('$${', '${')
  }
  return { value: settle(value, []), unknown }
}

/** `spec.hostnames[0]`, `spec.listeners[0].hostname`, `...urlRewrite.hostname`. */
function isHostname(path: readonly (string | number)[]): boolean {
  return path.at(-1) === 'hostname' || path.at(-2) === 'hostnames'
}

/** `app.${SECRET_DOMAIN}` becomes `app.secret-domain.localhost`, which resolves to the loopback address by itself (RFC 6761). */
export function localhostName(hostname: string): string {
  const named = hostname.replaceAll(VARIABLE, (_whole, _escape, name: string) =>
    name
      .toLowerCase()
      .replaceAll('_', '-')
      .replace(/^-+|-+$/g, ''),
  )
  return named.endsWith('.localhost') ? named : `${named}.localhost`
}
