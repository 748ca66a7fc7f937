/** JSON merge patches (RFC 7396), and server-side apply as far as tests need it: lists are replaced whole. */

type Fields = Readonly<Record<string, unknown>>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const merged: Record<string, unknown> = isFields(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = mergePatch(merged[name], value)
  }
  return merged
}

/** `target` with what is applied now; what the same manager applied before and no longer does is gone. */
export function applyFields(target: unknown, applied: unknown, before: unknown): unknown {
  if (!isFields(applied)) return applied
  const merged: Record<string, unknown> = isFields(target) ? { ...target } : {}
  const once = isFields(before) ? before : {}
  for (const name of Object.keys(once)) if (!Object.hasOwn(applied, name)) delete merged[name]
  for (const [name, value] of Object.entries(applied)) merged[name] = applyFields(merged[name], value, once[name])
  return merged
}
