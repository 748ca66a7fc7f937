/** HPACK's static table (RFC 7541, appendix A): what both sides know from the beginning. */

/** Index 1 to 61: name, or name and value. */
const entries: readonly string[] = [
  ':authority',
  ':method GET',
  ':method POST',
  ':path /',
  ':path /index.html',
  ':scheme http',
  ':scheme https',
  ':status 200',
  ':status 204',
  ':status 206',
  ':status 304',
  ':status 400',
  ':status 404',
  ':status 500',
  'accept-charset',
  'accept-encoding gzip, deflate',
  'accept-language',
  'accept-ranges',
  'accept',
  'access-control-allow-origin',
  'age',
  'allow',
  'authorization',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'etag',
  'expect',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'link',
  'location',
  'max-forwards',
  'proxy-authenticate',
  'proxy-authorization',
  'range',
  'referer',
  'refresh',
  'retry-after',
  'server',
  'set-cookie',
  'strict-transport-security',
  'transfer-encoding',
  'user-agent',
  'vary',
  'via',
  'www-authenticate',
]

/** The first index of the dynamic table is one more. */
export const staticSize: number = entries.length

/** By index; the first is none. */
export const staticNames: readonly string[] = ['', ...entries.map((entry) => nameOf(entry))]
export const staticValues: readonly string[] = ['', ...entries.map((entry) => entry.slice(nameOf(entry).length + 1))]

interface StaticName {
  /** The first index with that name. */
  readonly index: number
  /** Indexes of the values that are there, too. */
  readonly values: ReadonlyMap<string, number>
}

export const staticByName: ReadonlyMap<string, StaticName> = byName()

function nameOf(entry: string): string {
  const space = entry.indexOf(' ')
  return space < 0 ? entry : entry.slice(0, space)
}

function byName(): Map<string, StaticName> {
  const names = new Map<string, { index: number; values: Map<string, number> }>()
  for (let index = 1; index <= staticSize; index++) {
    const name = staticNames[index] as string
    const value = staticValues[index] as string
    const one = names.get(name) ?? { index, values: new Map<string, number>() }
    if (value !== '') one.values.set(value, index)
    names.set(name, one)
  }
  return names
}
