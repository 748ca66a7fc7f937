/** Header edits of a filter, in the order of the specification: set, add, remove (HTTPHeaderFilter). */
import type { CompiledEdits } from '../../routing/router.ts'
import type { FieldList } from '../http1/field-list.ts'

export function applyEdits(fields: FieldList, edits: CompiledEdits): void {
  for (const { name, lower, value } of edits.set) fields.set(name, lower, value)
  for (const { name, lower, value } of edits.add) fields.add(name, lower, value)
  for (const lower of edits.remove) fields.remove(lower)
}
