/**
 * Has somebody else changed what was applied? Compared are the fields that were asked for, with what the API server made
 * of them at the time (`1000m` is `1` there): what others add beside them is theirs, except where one more changes what is
 * meant.
 */

/** Maps that are one value (`x-kubernetes-map-type: atomic`): a Service with one more label in its selector selects nothing. */
const whole = new Set(['selector', 'nodeSelector'])

export function hasDrifted(asked: unknown, applied: unknown, observed: unknown): boolean {
  if (Array.isArray(asked)) {
    if (!Array.isArray(applied) || !Array.isArray(observed) || applied.length !== observed.length) return !equal(applied, observed)
    return asked.some((item, i) => hasDrifted(item, applied[i], observed[i]))
  }
  if (!isRecord(asked)) return !equal(applied, observed)
  if (!isRecord(applied) || !isRecord(observed)) return !equal(applied, observed)
  return Object.entries(asked).some(([name, value]) =>
    whole.has(name) ? !equal(applied[name], observed[name]) : hasDrifted(value, applied[name], observed[name]),
  )
}

/** Deep equality of plain JSON. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]))
  if (!isRecord(a) || !isRecord(b)) return false
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && equal(a[name], b[name]))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
