/** JSON.parse lets the last of two equal keys win in silence; for a manifest that is a mistake worth telling. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g

/** The first key that stands twice in one object of `text`, which must be well-formed JSON. */
export function repeatedKey(text: string): { readonly key: string; readonly offset: number } | undefined {
  const open: (Set<string> | undefined)[] = []
  let last: { key: string; offset: number } | undefined
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token === ':' && last) {
      const keys = open.at(-1)
      if (keys?.has(last.key)) return last
      keys?.add(last.key)
    } else if (token.startsWith('"')) last = { key: token, offset: index }
  }
  return undefined
}
