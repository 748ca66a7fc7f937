const SHOWN = 3

/** `a.yaml, b.yaml, c.yaml and 4 more` */
export function listSome(names: readonly string[]): string {
  if (names.length <= SHOWN) return names.join(', ')
  return `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`
}
